#include "app/cli/sweep_ranks.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

#ifdef QAQ_USE_MPI
#define OMPI_SKIP_MPICXX  // the C interface alone
#include <mpi.h>
#include <sched.h>
#include <unistd.h>
#endif

namespace qaq::cli {
namespace {

// First byte of a message. To the first rank: I am free; here is a result, and I am free; I end,
// with an error or without. From it: a task; no more of this share; no more at all.
enum Kind : char { kFree = 'f', kResult = 'r', kError = 'e', kEnd = 'z' };
enum Answer : char { kTask = 't', kNext = 'n', kDismissed = 'd' };

struct Message {
  int rank = 0;
  char kind = 0;
  std::string text;
};

std::string error_text(const Error& error, int rank) {
  const ErrorText& text = error.text();
  return nlohmann::json{{"kind", static_cast<int>(error.kind())},
                        {"file", text.file},
                        {"place", text.place},
                        {"what", cat(text.what, " (on rank ", rank, ")")},
                        {"cure", text.cure}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Error error_of(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  return Error(static_cast<ErrorKind>(json.at("kind").get<int>()),
               {.file = json.at("file").get<std::string>(),
                .place = json.at("place").get<std::string>(),
                .what = json.at("what").get<std::string>(),
                .cure = json.at("cure").get<std::string>()});
}

int launched_ranks() {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  return size ? std::atoi(size) : 1;
}

#ifdef QAQ_USE_MPI

void send(int rank, char kind, const std::string& text = {}) {
  const std::string all = kind + text;
  MPI_Send(all.data(), static_cast<int>(all.size()), MPI_CHAR, rank, 0, MPI_COMM_WORLD);
}

std::optional<Message> received() {
  int there = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &there, &status);
  if (!there) return {};
  int size = 0;
  MPI_Get_count(&status, MPI_CHAR, &size);
  std::string all(static_cast<std::size_t>(size), '\0');
  MPI_Recv(all.data(), size, MPI_CHAR, status.MPI_SOURCE, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  return Message{status.MPI_SOURCE, all.front(), all.substr(1)};
}

// Ranks that compute on this machine.
int local_computing_ranks(int rank, int size) {
  MPI_Comm machine;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &machine);
  int n = 0, first = 0;
  MPI_Comm_size(machine, &n);
  MPI_Allreduce(&rank, &first, 1, MPI_INT, MPI_MIN, machine);
  MPI_Comm_free(&machine);
  return std::max(1, first == 0 && size > 1 ? n - 1 : n);
}

int threads_for(int n_ranks) {
  const auto n_processors = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t bound;
  const bool known = sched_getaffinity(0, sizeof bound, &bound) == 0;
  return std::max(1, std::min(known ? CPU_COUNT(&bound) : n_processors, n_processors / n_ranks));
}

#else

// Nobody else is there.
void send(int, char, const std::string& = {}) {}
std::optional<Message> received() { return {}; }

#endif

// Waits without taking a processor from those that compute. Unless `work` is null a stop ends it.
Message next_message(const Work* work) {
  while (true) {
    if (auto message = received()) return std::move(*message);
    if (work) work->throw_if_stopped();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

SweepRanks::SweepRanks() {
  if (launched_ranks() < 2) return;
#ifdef QAQ_USE_MPI
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  n_threads_ = threads_for(local_computing_ranks(rank_, size_));
  for (int rank = 1; leads() && rank < size_; ++rank) present_.insert(rank);
#else
  refuse_usage({.place = "mpirun",
                .what = "this build has no MPI, and each rank would write the same file",
                .cure = "build with QAQ_MPI=ON, or give each its --shard without mpirun"});
#endif
}

SweepRanks::~SweepRanks() {
#ifdef QAQ_USE_MPI
  if (size_ > 1) MPI_Finalize();
#endif
}

void SweepRanks::run(const std::function<void()>& body) {
  if (size_ == 1) {
    body();
    return;
  }
  if (leads()) {
    std::exception_ptr own;
    try {
      body();
    } catch (...) {
      own = std::current_exception();
    }
    try {
      dismiss();
    } catch (const Error&) {
      if (!own) throw;
    }
    if (own) std::rethrow_exception(own);
    return;
  }
  try {
    body();
    send(0, kEnd);
  } catch (const Error& error) {
    send(0, kError, error_text(error, rank_));
  } catch (const std::exception& error) {
    send(0, kError, error_text(Error(ErrorKind::work, {.what = error.what()}), rank_));
  }
}

void SweepRanks::share(const Share& share, const Work& work) {
  if (size_ > 1) {
    leads() ? lead(share, work) : follow(share, work);
    return;
  }
  for (const std::string& task : share.tasks) share.take(share.compute(task));
}

void SweepRanks::lead(const Share& share, const Work& work) {
  std::size_t n_begun = 0;
  std::set<int> sharing = present_, busy;
  std::optional<Error> failure;
  while (true) {
    for (const int rank : std::exchange(waiting_, {})) {
      if (failure || !sharing.contains(rank)) {
        waiting_.push_back(rank);  // who is through with this share asks for the next already
      } else if (n_begun < share.tasks.size()) {
        send(rank, kTask, share.tasks[n_begun++]);
        busy.insert(rank);
      } else {
        send(rank, kNext);
        sharing.erase(rank);
      }
    }
    if (failure ? busy.empty() : sharing.empty()) break;
    const Message message = next_message(&work);
    busy.erase(message.rank);
    if (message.kind == kFree || message.kind == kResult) {
      waiting_.push_back(message.rank);
      if (message.kind == kResult) share.take(message.text);
    } else {
      present_.erase(message.rank);
      sharing.erase(message.rank);
      if (message.kind == kError && !failure) failure = error_of(message.text);
    }
  }
  if (failure) throw Error(*failure);
}

void SweepRanks::follow(const Share& share, const Work& work) {
  if (dismissed_) return;
  send(0, kFree);
  while (true) {
    const Message message = next_message(&work);
    if (message.kind == kTask) {
      send(0, kResult, share.compute(message.text));
    } else {
      dismissed_ = message.kind == kDismissed;
      return;
    }
  }
}

void SweepRanks::dismiss() {
  std::optional<Error> failure;
  while (!present_.empty()) {
    for (; !waiting_.empty(); waiting_.pop_back()) send(waiting_.back(), kDismissed);
    const Message message = next_message(nullptr);
    if (message.kind == kFree || message.kind == kResult) {
      waiting_.push_back(message.rank);
    } else {
      present_.erase(message.rank);
      if (message.kind == kError && !failure) failure = error_of(message.text);
    }
  }
  if (failure) throw Error(*failure);
}

}  // namespace qaq::cli
