// others-library: hands out blocks that its callers free. Opened with RTLD_DEEPBIND, they are the C library's.

#include <stdlib.h>

void *take(size_t bytes) { return malloc(bytes); }
