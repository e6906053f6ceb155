// A reactor whose constructor must run before its handler: see wasi_test.cc.
static int ready = 0;

__attribute__((constructor)) static void prepare(void) { ready = 42; }

__attribute__((export_name("answer"))) int answer(void) { return ready; }
