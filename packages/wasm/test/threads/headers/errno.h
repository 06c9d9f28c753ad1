// What morecore.c needs of a C library that has threads: Debian's has none.
extern __thread __attribute__((tls_model("local-exec"))) int errno;
enum { EINVAL = 28, ENOMEM = 48 };
