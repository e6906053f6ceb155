// A library as a module of its own, with memory, state, and printf.
#include <stdio.h>

static int calls;

__attribute__((export_name("square"))) int square(int number) {
    ++calls;
    printf("square %d\n", calls);
    fflush(stdout);
    return number * number;
}

__attribute__((export_name("divide"))) int divide(int number, int by) { return number / by; }
