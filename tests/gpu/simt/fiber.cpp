#include "tests/gpu/simt/fiber.h"

#include <cstdlib>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/gpu/simt/sanitizers.h"
#include "tests/gpu/simt/simt.h"

#ifdef __x86_64__
// Twenty instructions instead of swapcontext(), which makes a system call a switch.
extern "C" void simt_switch(void** save, void* load);
asm(R"(
.text
.globl simt_switch
.type simt_switch,@function
simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch,.-simt_switch
)");
#endif

namespace simt {

bool thread_sanitizer() { return __tsan_acquire != nullptr; }
namespace {

constexpr std::size_t kStackBytes = 128 * 1024;
constexpr unsigned kNoOrdering = 1;  // thread sanitizer's flag: a switch is not an ordering
constexpr int kSavedRegisters = 6;

/// A stack with a page below it that nobody may touch.
char* map_stack() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, kStackBytes + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) std::abort();
  return static_cast<char*>(memory) + page;
}

}  // namespace

void adopt_this_thread(Context& context) {
  thread_local void* low = nullptr;
  thread_local std::size_t size = 0;
  if (!low) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
  }
  context.bottom = low;
  context.size = size;
  if (__tsan_get_current_fiber) context.tsan = __tsan_get_current_fiber();
}

void restart(Fiber& fiber, void (*entry)()) {
  if (!fiber.memory) fiber.memory = map_stack();
  unpoison(fiber.memory, kStackBytes);
  if (__tsan_create_fiber) {
    if (fiber.tsan) __tsan_destroy_fiber(fiber.tsan);
    fiber.tsan = __tsan_create_fiber(0);
  }
  fiber.bottom = fiber.memory;
  fiber.size = kStackBytes;
  fiber.fake_stack = nullptr;
#ifdef __x86_64__
  auto top = reinterpret_cast<void**>(fiber.memory + kStackBytes);
  *--top = nullptr;  // keeps the stack aligned where entry() starts
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < kSavedRegisters; ++i) *--top = nullptr;
  fiber.stack_pointer = top;
#else
  getcontext(&fiber.native);
  fiber.native.uc_stack.ss_sp = fiber.memory;
  fiber.native.uc_stack.ss_size = kStackBytes;
  makecontext(&fiber.native, entry, 0);
#endif
}

void entered() {
  if (!__sanitizer_finish_switch_fiber) return;
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
}

void switch_to(Context& from, Context& to) {
  if (__sanitizer_start_switch_fiber) {
    __sanitizer_start_switch_fiber(&from.fake_stack, to.bottom, to.size);
  }
  if (__tsan_switch_to_fiber) __tsan_switch_to_fiber(to.tsan, kNoOrdering);
#ifdef __x86_64__
  simt_switch(&from.stack_pointer, to.stack_pointer);
#else
  swapcontext(&from.native, &to.native);
#endif
  if (__sanitizer_finish_switch_fiber) {
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(from.fake_stack, &bottom, &size);
  }
}

void release_for(const Context& fiber, const Context& self, void* object) {
  if (!__tsan_switch_to_fiber) return;
  __tsan_switch_to_fiber(fiber.tsan, kNoOrdering);
  release(object);
  __tsan_switch_to_fiber(self.tsan, kNoOrdering);
}

}  // namespace simt
