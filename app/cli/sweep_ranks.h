#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/progress.h"

namespace qaq::cli {

/// The processes (ranks) that make a sweep together: those of `mpirun` where the program was built
/// with MPI, else this one alone. The first owns the files, hands out tasks and keeps what comes
/// back; the others compute. One that is alone does both. Tasks and results are texts even then, so
/// that the same bytes come out whatever the number of ranks.
class SweepRanks {
 public:
  /// Throws Error{usage} where mpirun started several programs of a build without MPI: each would
  /// write into the others' file.
  SweepRanks();
  ~SweepRanks();
  SweepRanks(const SweepRanks&) = delete;
  SweepRanks& operator=(const SweepRanks&) = delete;

  bool leads() const { return rank_ == 0; }
  /// Ranks that compute.
  int n_computing() const { return size_ == 1 ? 1 : size_ - 1; }
  /// Threads for this rank, so that the ranks of a machine together use each of its processors
  /// once, and none but those that mpirun bound them to; 0, all, for one that is alone.
  int n_threads() const { return n_threads_; }

  /// Runs `body` on every rank. An error of any ends it on all of them, each after its present
  /// task; the first alone throws it.
  void run(const std::function<void()>& body);

  struct Share {
    std::vector<std::string> tasks;                          ///< what the first rank hands out
    std::function<std::string(const std::string&)> compute;  ///< gives a task's result
    std::function<void(const std::string&)> take;            ///< keeps a result, on the first rank
  };
  /// Has every task computed by whoever is free; results are taken as they come. All ranks call it,
  /// within run(). Where one fails nothing new is begun, and what the others are at is still taken.
  void share(const Share& share, const Work& work);

 private:
  void lead(const Share& share, const Work& work);
  void follow(const Share& share, const Work& work);
  void dismiss();

  int rank_ = 0;
  int size_ = 1;
  int n_threads_ = 0;
  std::set<int> present_;     // of the first: ranks that have not ended
  std::vector<int> waiting_;  // of the first: ranks whose request has no answer yet
  bool dismissed_ = false;    // of the others
};

}  // namespace qaq::cli
