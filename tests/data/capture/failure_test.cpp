// Whatever stops a capture or a run from being written, no broken file is left under its name.
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/replay/replay.h"
#include "data/capture/capture_file.h"
#include "tests/data/capture/synthetic_run.h"
#include "tests/support/temporary_folder.h"

/// HDF5 itself loses memory when a full disk keeps it from closing a file.
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace qaq::test {
namespace {

/// No file may grow beyond `bytes` while this lives: a disk that fills up.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

void write_capture(const std::string& path, const SyntheticRun& run) {
  const auto writer = CaptureWriter::create(path, plan_of(run, {0, 1, 2}));
  put_run(run, *writer);
  writer->finish(run.tokens, "{}");
}

Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::work, {});
}

class Failure : public testing::Test {
 protected:
  const SyntheticRun run_ = make_run(small_shape(), 20, 20);
  TemporaryFolder folder_;
  const std::string path_ = folder_.file("a.h5");
};

TEST_F(Failure, AMissingFolderIsNamed) {
  const Error error = error_of([&] { write_capture(folder_.file("no/such/a.h5"), run_); });
  EXPECT_EQ(error.kind(), ErrorKind::work);
  EXPECT_EQ(error.text().file, folder_.file("no/such/a.h5.partial"));
  EXPECT_NE(error.text().what.find("No such file or directory"), std::string::npos);
  EXPECT_TRUE(folder_.empty());
}

TEST_F(Failure, WhatCannotBeWrittenIsLeftAlone) {
  std::filesystem::create_directory(path_ + ".partial");
  EXPECT_EQ(error_of([&] { write_capture(path_, run_); }).kind(), ErrorKind::work);
  EXPECT_TRUE(std::filesystem::is_directory(path_ + ".partial"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Failure, AFolderThatMayNotBeWrittenIsNamed) {
  // The superuser may write everywhere, and so becomes nobody for a moment.
  constexpr uid_t kNobody = 65534;
  const bool superuser = geteuid() == 0;
  if (superuser && seteuid(kNobody) != 0) GTEST_SKIP() << "cannot give up the superuser's rights";
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  if (!superuser) std::filesystem::permissions(folder, std::filesystem::perms::owner_exec);
  const Error error = error_of([&] { write_capture(path_, run_); });
  if (!superuser) std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  if (superuser) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_EQ(error.kind(), ErrorKind::work);
  EXPECT_NE(error.text().what.find("Permission denied"), std::string::npos) << error.what();
  EXPECT_TRUE(folder_.empty());
}

TEST_F(Failure, AFolderUnderTheFinalNameStaysAndNothingElseIsLeft) {
  std::filesystem::create_directory(path_);
  EXPECT_EQ(error_of([&] { write_capture(path_, run_); }).kind(), ErrorKind::work);
  EXPECT_TRUE(std::filesystem::is_directory(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".partial"));
}

TEST_F(Failure, AFullDiskIsNamedAndNothingIsLeft) {
  // At any point: while attributes, activations or tables are written, or at closing.
  write_capture(path_, run_);
  const auto whole = static_cast<rlim_t>(std::filesystem::file_size(path_));
  std::filesystem::remove(path_);
  for (rlim_t limit = 256; limit < whole; limit += whole / 12) {
    const FullDisk disk(limit);
    const Error error = error_of([&] { write_capture(path_, run_); });
    EXPECT_EQ(error.kind(), ErrorKind::work) << error.what();
    EXPECT_EQ(error.text().file, path_ + ".partial");
    EXPECT_NE(error.text().what.find("File too large"), std::string::npos) << error.what();
    EXPECT_NE(error.text().cure.find("room on the disk"), std::string::npos);
    EXPECT_TRUE(folder_.empty()) << "limit " << limit;
  }
}

TEST_F(Failure, AnInterruptedCaptureLeavesTheOldOne) {
  write_capture(path_, run_);
  const std::string before = bytes_of_file(path_);
  {
    const auto writer = CaptureWriter::create(path_, plan_of(run_, {0, 1, 2}));
    put_batch(run_, 0, 10, *writer);
    EXPECT_TRUE(std::filesystem::exists(path_ + ".partial"));
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".partial"));
  EXPECT_EQ(bytes_of_file(path_), before);
}

TEST_F(Failure, ARunThatLacksRowsIsNotACapture) {
  {
    const auto writer = CaptureWriter::create(path_, plan_of(run_, {0, 1, 2}));
    put_batch(run_, 0, 10, *writer);
    EXPECT_EQ(error_of([&] { writer->finish(run_.tokens, "{}"); }).kind(), ErrorKind::work);
  }
  EXPECT_TRUE(folder_.empty());
}

TEST_F(Failure, MoreRowsThanWerePlannedAreRefused) {
  const SyntheticRun run = make_run(small_shape(), 20, 20);
  CapturePlan plan = plan_of(run, {0, 1, 2});
  plan.info.n_prompt = plan.max_tokens = 12;
  {
    const auto writer = CaptureWriter::create(path_, plan);
    const Error error = error_of([&] { put_run(run, *writer); });
    EXPECT_EQ(error.kind(), ErrorKind::work);
    EXPECT_NE(error.text().what.find("there is room for 12 tokens"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(folder_.empty());
}

TEST_F(Failure, NumbersThatTheFileCannotHoldAreNamed) {
  struct {
    float number;
    DType dtype;
    bool taken;
  } const cases[] = {{std::numeric_limits<float>::quiet_NaN(), DType::f32, false},
                     {std::numeric_limits<float>::infinity(), DType::bf16, false},
                     {65519.0f, DType::f16, true},
                     {65520.0f, DType::f16, false},
                     {65520.0f, DType::bf16, true},
                     {-3.39e38f, DType::bf16, true},
                     {-3.4e38f, DType::bf16, false},
                     {-3.4e38f, DType::f32, true}};
  for (const auto& c : cases) {
    SyntheticRun run = make_run(small_shape(), 20, 20);
    run.value(1, 1, 7, 3) = c.number;
    CapturePlan plan = plan_of(run, {0, 1, 2});
    plan.info.dtype = c.dtype;
    const auto writer = CaptureWriter::create(path_, plan);
    if (c.taken) {
      EXPECT_NO_THROW(put_run(run, *writer)) << c.number;
      continue;
    }
    const Error error = error_of([&] { put_run(run, *writer); });
    EXPECT_EQ(error.kind(), ErrorKind::work);
    EXPECT_NE(error.text().what.find("layer 1, head 1, token 7"), std::string::npos)
        << error.what();
  }
}

TEST_F(Failure, ScoresThatAreNoNumbersAreNamed) {
  for (const float number :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    SyntheticRun run = make_run(small_shape(), 20, 20);
    run.attention(1, 2, 7, 3) = number;
    const auto writer = CaptureWriter::create(path_, plan_of(run, {0, 1, 2}));
    const Error error = error_of([&] { put_run(run, *writer); });
    EXPECT_EQ(error.kind(), ErrorKind::work);
    EXPECT_NE(error.text().what.find("layer 1, head 2, token 7"), std::string::npos)
        << error.what();
  }
}

TEST_F(Failure, ScoresThatAreNoNumbersAreNamedByTheirEntropy) {
  CapturePlan plan = plan_of(make_run(small_shape(), 20, 20), {0, 1, 2});
  plan.info.profile = AttentionProfile::window;
  plan.attention_window = 6;
  const auto writer = CaptureWriter::create(path_, plan);
  std::vector<float> stats(2 * (9 + 9), 0.5f);
  stats[9 + 9 + 7] = std::numeric_limits<float>::quiet_NaN();
  const Error error = error_of([&] {
    writer->put({.what = TapKind::attention_stats,
                 .layer = 1,
                 .first_head = 1,
                 .n_heads = 2,
                 .n_rows = 9,
                 .n_cols = 9,
                 .bytes = std::as_bytes(std::span<const float>(stats))});
  });
  EXPECT_EQ(error.kind(), ErrorKind::work);
  EXPECT_NE(error.text().what.find("layer 1, head 2, token 7"), std::string::npos) << error.what();
}

TEST_F(Failure, ContradictoryPlansAreRefused) {
  const std::function<void(CapturePlan&)> faults[] = {
      [](CapturePlan& plan) {
        plan.info.layers = {2, 1};
      },
      [](CapturePlan& plan) {
        plan.info.layers = {1, 1};
      },
      [](CapturePlan& plan) { plan.info.layers = {3}; },
      [](CapturePlan& plan) { plan.info.layers = {}; },
      [](CapturePlan& plan) { plan.info.n_prompt = 0; },
      [](CapturePlan& plan) { plan.max_tokens = 19; },
      [](CapturePlan& plan) { plan.info.profile = AttentionProfile::window; },
      [](CapturePlan& plan) {
        plan.info.profile = AttentionProfile::derive;
        plan.info.has_queries = false;
      }};
  for (const auto& fault : faults) {
    CapturePlan plan = plan_of(run_, {0, 1, 2});
    fault(plan);
    EXPECT_EQ(error_of([&] { CaptureWriter::create(path_, plan); }).kind(), ErrorKind::usage);
  }
  EXPECT_TRUE(folder_.empty());
}

TEST_F(Failure, AFullDiskLeavesTheCaptureAndItsRuns) {
  write_capture(path_, run_);
  const SharedReplay first = replay(*open_capture(path_), {});
  save_run(path_, "first", *first, "{}");
  const std::string before = bytes_of_file(path_);
  for (const std::size_t room : {0, 700, 30000}) {
    const FullDisk disk(before.size() + room);
    const Error error = error_of([&] { save_run(path_, "second", *first, "{}"); });
    EXPECT_EQ(error.kind(), ErrorKind::work) << error.what();
    EXPECT_NE(error.text().what.find("File too large"), std::string::npos) << error.what();
    EXPECT_TRUE(bytes_of_file(path_) == before) << "room " << room;
  }
  save_run(path_, "second", *first, "{}");
  EXPECT_EQ(list_runs(path_), (std::vector<std::string>{"first", "second"}));
  // What was reserved and not used is given back.
  EXPECT_LT(std::filesystem::file_size(path_), before.size() + 100'000);
}

TEST_F(Failure, AFileThatAnotherProgramWritesStaysAsItIs) {
  write_capture(path_, run_);
  const SharedReplay result = replay(*open_capture(path_), {});
  const std::string before = bytes_of_file(path_);
  const int other = open(path_.c_str(), O_RDWR);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  const Error error = error_of([&] { save_run(path_, "a", *result, "{}"); });
  EXPECT_NE(error.text().what.find("another program"), std::string::npos) << error.what();
  EXPECT_TRUE(bytes_of_file(path_) == before);
  EXPECT_NO_THROW(open_capture(path_)) << "reading needs no lock";
  close(other);
  save_run(path_, "a", *result, "{}");
  EXPECT_EQ(list_runs(path_), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace qaq::test
