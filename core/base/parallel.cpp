#include "core/base/parallel.h"

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#ifdef QAQ_USE_TBB
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#endif

namespace qaq {
namespace {

std::atomic<int> configured_threads{0};

int machine_threads() {
  const unsigned n = std::thread::hardware_concurrency();
  return n == 0 ? 1 : static_cast<int>(n);
}

#ifdef QAQ_USE_TBB
std::mutex control_mutex;
std::unique_ptr<tbb::global_control>& control() {
  static std::unique_ptr<tbb::global_control> limit;
  return limit;
}
#endif

}  // namespace

void set_thread_count(int n_threads) {
  configured_threads = n_threads < 0 ? 0 : n_threads;
#ifdef QAQ_USE_TBB
  const std::lock_guard lock(control_mutex);
  control().reset();
  if (n_threads > 0) {
    control() = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                      static_cast<std::size_t>(n_threads));
  }
#endif
}

int thread_count() {
  const int n = configured_threads;
  return n > 0 ? n : machine_threads();
}

#ifdef QAQ_USE_TBB

void parallel_for(std::int64_t n, const std::function<void(std::int64_t)>& body) {
  if (n <= 0) return;
  if (n == 1) {
    body(0);
    return;
  }
  // Grain 1: each index is worth a task, as the contract says.
  tbb::parallel_for(
      tbb::blocked_range<std::int64_t>(0, n, 1),
      [&](const tbb::blocked_range<std::int64_t>& range) {
        for (std::int64_t i = range.begin(); i < range.end(); ++i) body(i);
      },
      tbb::auto_partitioner());
}

void run_beside(std::function<void()> work) {
  // An enqueued task gets a thread even where parallel_for is limited to one. It must go where the
  // caller's own loops run: threads change between arenas only after a while.
  tbb::task_arena{tbb::task_arena::attach()}.enqueue(std::move(work));
}

#else

void parallel_for(std::int64_t n, const std::function<void(std::int64_t)>& body) {
  const int n_threads = static_cast<int>(std::min<std::int64_t>(thread_count(), n));
  if (n_threads <= 1) {
    for (std::int64_t i = 0; i < n; ++i) body(i);
    return;
  }
  std::atomic<std::int64_t> next{0};
  std::exception_ptr first_error;
  std::mutex error_mutex;
  const auto worker = [&] {
    for (std::int64_t i = next++; i < n; i = next++) {
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!first_error) first_error = std::current_exception();
        next = n;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 1; t < n_threads; ++t) threads.emplace_back(worker);
    worker();
  }
  if (first_error) std::rethrow_exception(first_error);
}

void run_beside(std::function<void()> work) { std::thread(std::move(work)).detach(); }

#endif

}  // namespace qaq
