// Uses library.c, which comes by --import math=CID.
#include <stdio.h>

__attribute__((import_module("math"), import_name("square"))) int square(int number);
__attribute__((import_module("math"), import_name("divide"))) int divide(int number, int by);

__attribute__((export_name("sum"))) int sum(int a, int b) {
    const int result = square(a) + square(b);
    printf("sum %d\n", result);
    fflush(stdout);
    return result;
}

__attribute__((export_name("divides"))) int divides(int number, int by) {
    return divide(number, by);
}
