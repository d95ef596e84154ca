#pragma once

#include <cstddef>
#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace simt {

/// A place to go on from: the program's own thread, or a fiber.
struct Context {
  void* stack_pointer = nullptr;
#ifndef __x86_64__
  ucontext_t native{};
#endif
  void* fake_stack = nullptr;    ///< address sanitizer's
  const void* bottom = nullptr;  ///< of the stack
  std::size_t size = 0;
  void* tsan = nullptr;  ///< thread sanitizer's name of it
};

/// A context with a stack of its own, which is mapped at the first restart and stays mapped.
struct Fiber : Context {
  char* memory = nullptr;
};

/// Fills in the calling thread's stack and name, so that a fiber can switch back to it.
void adopt_this_thread(Context& context);

/// A fresh stack that starts in entry(), which must not return.
void restart(Fiber& fiber, void (*entry)());
/// What entry() does first.
void entered();

/// Goes on at `to`; returns when somebody switches to `from`. Orders nothing for the thread
/// sanitizer.
void switch_to(Context& from, Context& to);

/// release(object) in the name of a fiber that is not running.
void release_for(const Context& fiber, const Context& self, void* object);

}  // namespace simt
