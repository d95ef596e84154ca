#pragma once

#include <cstdint>
#include <functional>

namespace qaq {

/// Threads that parallel_for uses from now on; 0: as many as the machine has.
/// Not to be called while a parallel_for runs.
void set_thread_count(int n_threads);
int thread_count();

/// Calls body(i) for every i in [0, n), on several threads. Each index is one piece of work: make
/// it large enough to be worth a task. The order is not fixed, so a body writes only to what
/// belongs to its index; then results do not depend on the thread count. The first exception that a
/// body throws is thrown again here, after all threads have left. May be nested.
void parallel_for(std::int64_t n, const std::function<void(std::int64_t)>& body);

/// Has `work` called soon, on one of the threads that parallel_for uses: while it runs, the others
/// share its part of the loops, so that no processor has more threads than it can run. `work` must
/// not throw.
void run_beside(std::function<void()> work);

}  // namespace qaq
