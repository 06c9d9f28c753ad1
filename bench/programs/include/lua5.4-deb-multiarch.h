// Debian's luaconf.h includes this; it is made when Debian builds Lua, for the folders of libraries, of which we have none.

#define DEB_HOST_MULTIARCH "wasm32-wasi"
