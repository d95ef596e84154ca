#include "tests/gpu/simt/memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/gpu/simt/sanitizers.h"

namespace simt {
namespace {

constexpr std::size_t kAlignment = 256;  // the device's
constexpr std::size_t kGuardBytes = 256;
constexpr unsigned char kGuard = 0xfd;

std::size_t padded(std::size_t bytes) {
  return (bytes + kGuardBytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

void* guarded_alloc(std::size_t bytes) {
  auto* memory = static_cast<unsigned char*>(std::aligned_alloc(kAlignment, padded(bytes)));
  if (!memory) return nullptr;
  std::memset(memory, 0xff, bytes);
  std::memset(memory + bytes, kGuard, padded(bytes) - bytes);
  poison(memory + bytes, padded(bytes) - bytes);
  return memory;
}

bool guard_intact(const void* memory, std::size_t bytes) {
  if (__asan_poison_memory_region) return true;
  const auto* begin = static_cast<const unsigned char*>(memory);
  return std::all_of(begin + bytes, begin + padded(bytes),
                     [](unsigned char byte) { return byte == kGuard; });
}

void guarded_free(void* memory, std::size_t bytes) {
  if (memory) unpoison(static_cast<char*>(memory) + bytes, padded(bytes) - bytes);
  std::free(memory);
}

}  // namespace simt
