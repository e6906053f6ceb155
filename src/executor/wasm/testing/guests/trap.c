// Divides by zero three calls deep; the test looks for the lines and names of these functions.
#include <stdio.h>

__attribute__((noinline)) int divide(int dividend, volatile int divisor) {
    return dividend / divisor; // line 5
}

__attribute__((noinline)) int middle(int dividend) {
    int quotient = divide(dividend, 0); // line 9
    printf("never: %d\n", quotient);
    return quotient;
}

int main(int count, char** arguments) {
    (void)arguments;
    return middle(count + 41); // line 16
}
