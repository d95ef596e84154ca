// The sanitizers' own interface. Weak, so that the shim's sources are one and the same in every
// build and a build without a sanitizer does nothing here.
#pragma once

#include <cstddef>

#ifdef __SANITIZE_THREAD__
#error "compile the shim's own sources with -fno-sanitize=all: only kernels are to be watched"
#endif

extern "C" {
void __sanitizer_start_switch_fiber(void** save, const void* bottom, std::size_t size)
    __attribute__((weak));
void __sanitizer_finish_switch_fiber(void* saved, const void** bottom, std::size_t* size)
    __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void* begin, std::size_t size)
    __attribute__((weak));
void __asan_poison_memory_region(const volatile void* begin, std::size_t size)
    __attribute__((weak));
void* __tsan_create_fiber(unsigned flags) __attribute__((weak));
void __tsan_destroy_fiber(void* fiber) __attribute__((weak));
void* __tsan_get_current_fiber() __attribute__((weak));
void __tsan_switch_to_fiber(void* fiber, unsigned flags) __attribute__((weak));
void __tsan_acquire(void* object) __attribute__((weak));
void __tsan_release(void* object) __attribute__((weak));
}

namespace simt {

// What was done before a release of an object happens before what follows an acquire of it.
inline void acquire(void* object) {
  if (__tsan_acquire && object) __tsan_acquire(object);
}
inline void release(void* object) {
  if (__tsan_release && object) __tsan_release(object);
}

inline void poison(void* begin, std::size_t size) {
  if (__asan_poison_memory_region) __asan_poison_memory_region(begin, size);
}
inline void unpoison(void* begin, std::size_t size) {
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(begin, size);
}

}  // namespace simt
