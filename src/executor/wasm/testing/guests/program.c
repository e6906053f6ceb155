// A command that uses what WASI gives: see wasi_test.cc.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
    printf("arguments: %d", argc);
    for (int i = 1; i < argc; ++i) {
        printf(" [%s]", argv[i]);
    }
    printf("\nGREETING=%s\n", getenv("GREETING"));
    printf("INPUT_MY_DATA=%s\n", getenv("INPUT_MY_DATA"));
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        printf("read: %s", line);
    }
    printf("time: %lld\n", (long long)time(NULL));
    sleep(3600);
    printf("open: %s\n", fopen("/etc/passwd", "r") == NULL ? "failed" : "succeeded");
    for (int i = 0; i < 500; ++i) {
        printf("line %d\n", i);
    }
    fputs("this is standard error\n", stderr);
    return 3;
}
