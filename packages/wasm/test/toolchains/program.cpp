// A C++ program: new and delete, with alignment, sizes and nothrow, and the standard library, are morecore's.

#include "morecore.h"
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <vector>

struct alignas(64) Wide {
  char bytes[64];
};

struct Counted {
  static int live;
  Counted() { live++; }
  ~Counted() { live--; }
  int value = 3;
};
int Counted::live = 0;

// Allocates before main does.
static std::map<std::string, int> counts = {{"before main", 1}};

int main() {
  malloc_trim(0);
  size_t before = mallinfo2().uordblks;
  {
    std::vector<std::string> words;
    for (int index = 0; index < 1000; index++)
      words.push_back(std::string(index % 50, 'x'));
    for (auto &word : words)
      counts[word]++;
    Counted *many = new Counted[10];
    std::printf("live %d, value %d\n", Counted::live, many[9].value);
    delete[] many;
    void *sized = ::operator new(100);
    std::printf("usable %d\n", malloc_usable_size(sized) >= 100);
    ::operator delete(sized, 100);
    Wide *wide = new Wide;
    std::printf("aligned %d\n", reinterpret_cast<size_t>(wide) % 64 == 0);
    delete wide;
    void *none = ::operator new(64 << 20, std::nothrow);
    std::printf("nothrow %d\n", none == nullptr);
  }
  std::printf("words %zu, live %d\n", counts.size(), Counted::live);
  counts.clear();
  // A run that has no live block is given back.
  malloc_trim(0);
  std::printf("all freed %d\n", mallinfo2().uordblks <= before);
}
