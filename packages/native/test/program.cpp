// A program in C++: containers, strings, exceptions, threads, and new with an alignment.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct alignas(256) Wide {
  int value = 7;
};

static long words(int seed) {
  std::map<std::string, std::vector<int>> found;
  for (int i = 0; i < 20000; i++)
    found["word" + std::to_string(i * seed % 997) + std::string(i % 40, 'x')].push_back(i);
  long sum = 0;
  for (const auto &[word, places] : found)
    sum += (long)word.size() * std::accumulate(places.begin(), places.end(), 0L) % 1000003;
  return sum;
}

static std::string caught(int depth) {
  try {
    if (depth == 0)
      throw std::runtime_error(std::string(100, 'e'));
    return caught(depth - 1);
  } catch (const std::runtime_error &error) {
    return error.what();
  }
}

int main() {
  std::vector<long> sums(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&sums, i] { sums[i] = words(i + 3); });
  for (auto &thread : threads)
    thread.join();
  std::vector<std::unique_ptr<Wide>> wide;
  for (int i = 0; i < 100; i++)
    wide.push_back(std::make_unique<Wide>());
  bool aligned = true;
  for (const auto &one : wide)
    aligned = aligned && reinterpret_cast<std::uintptr_t>(one.get()) % 256 == 0;
  bool refused = false;
  try {
    volatile std::size_t much = SIZE_MAX / 4;
    delete[] new char[much];
  } catch (const std::bad_alloc &) {
    refused = true;
  }
  std::printf("%ld %ld %ld %ld %zu %d %d\n", sums[0], sums[1], sums[2], sums[3], caught(50).size(), aligned, refused);
}
