// A capture is written beside the run. However late the disk is, the file is the same, byte for
// byte, and a failure of the disk is the run's.
#include <future>
#include <gtest/gtest.h>
#include <limits>
#include <memory>

#include "core/base/error.h"
#include "data/capture/capture_file.h"
#include "data/capture/h5_thread.h"
#include "tests/data/capture/synthetic_run.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

/// Hands on copies that may be held, as an engine does.
class OwnedBlocks : public TapSink {
 public:
  explicit OwnedBlocks(TapSink& target) : target_(target) {}
  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override {
    return target_.wants(what, layer, first_row, n_rows);
  }
  void put(const TapBlock& block) override {
    const auto bytes =
        std::make_shared<std::vector<std::byte>>(block.bytes.begin(), block.bytes.end());
    TapBlock owned = block;
    owned.bytes = *bytes;
    owned.owner = bytes;
    target_.put(owned);
  }

 private:
  TapSink& target_;
};

/// Nothing is written while this is closed.
class SlowDisk {
 public:
  SlowDisk() : busy_(std::async(std::launch::async, [this] { wait_on_the_hdf5_thread(); })) {
    begun_.get_future().wait();
  }
  ~SlowDisk() { go_on_.set_value(); }

 private:
  void wait_on_the_hdf5_thread() {
    h5::thread().run([this] {
      begun_.set_value();
      go_on_.get_future().wait();
    });
  }
  std::promise<void> begun_, go_on_;
  std::future<void> busy_;  // last: it uses the others, and waits when it goes
};

struct LateCase {
  AttentionProfile profile = AttentionProfile::full;
  DType dtype = DType::f32;
  bool may_end_early = false;
};

class LateWriting : public testing::TestWithParam<LateCase> {
 protected:
  const SyntheticRun run_ = make_run(small_shape(), 40, 60);
  const TemporaryFolder folder_;

  CapturePlan plan() const {
    CapturePlan plan = plan_of(run_, {0, 2});
    plan.info.profile = GetParam().profile;
    plan.info.dtype = GetParam().dtype;
    plan.may_end_early = GetParam().may_end_early;
    plan.attention_window = 6;
    return plan;
  }
};

TEST_P(LateWriting, GivesTheBytesOfWritingAtOnce) {
  const auto at_once = CaptureWriter::create(folder_.file("at_once.h5"), plan());
  put_run(run_, *at_once);
  at_once->finish(run_.tokens, "{}");

  const auto late = CaptureWriter::create(folder_.file("late.h5"), plan());
  {
    const SlowDisk disk;
    OwnedBlocks blocks(*late);
    put_run(run_, blocks);  // the whole run is over before the first number is written
  }
  late->finish(run_.tokens, "{}");
  EXPECT_TRUE(bytes_of_file(folder_.file("late.h5")) == bytes_of_file(folder_.file("at_once.h5")));
  EXPECT_EQ(open_capture(folder_.file("late.h5"))->info().n_tokens, run_.n_tokens);
}

TEST_P(LateWriting, AnAbandonedCaptureLeavesNothing) {
  auto writer = CaptureWriter::create(folder_.file("a.h5"), plan());
  {
    const SlowDisk disk;
    OwnedBlocks blocks(*writer);
    put_run(run_, blocks);
  }
  writer.reset();
  EXPECT_TRUE(folder_.empty());
}

TEST_P(LateWriting, WhatCannotBeWrittenIsKnownWhenTheCaptureIsFinished) {
  SyntheticRun broken = make_run(small_shape(), 40, 60);
  broken.value(2, 1, 59, 3) = std::numeric_limits<float>::quiet_NaN();  // in the last token
  const auto writer = CaptureWriter::create(folder_.file("a.h5"), plan());
  OwnedBlocks blocks(*writer);
  const auto write = [&] {
    put_run(broken, blocks);
    writer->finish(broken.tokens, "{}");
  };
  try {
    write();
    FAIL() << "a NaN was taken";
  } catch (const Error& error) {
    EXPECT_NE(error.text().what.find("layer 2, head 1, token 59"), std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.file("a.h5")));
}

INSTANTIATE_TEST_SUITE_P(Profiles, LateWriting,
                         testing::Values(LateCase{AttentionProfile::full, DType::f32, false},
                                         LateCase{AttentionProfile::full, DType::bf16, true},
                                         LateCase{AttentionProfile::window, DType::f16, false},
                                         LateCase{AttentionProfile::derive, DType::f32, false},
                                         LateCase{AttentionProfile::none, DType::f16, true}),
                         [](const auto& each) { return "case" + std::to_string(each.index); });

}  // namespace
}  // namespace qaq::test
