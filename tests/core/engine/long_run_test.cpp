// Prompts of several chunks (512 rows): the same numbers whole, in pieces and token by token, on
// any number of threads, whether their taps are taken at once or late.
#include <gtest/gtest.h>
#include <stdexcept>

#include "core/base/parallel.h"
#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/core/engine/late_sink.h"
#include "tests/support/deviation.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using test::Deviation;
using test::LateSink;
using test::TapRecorder;

constexpr std::int64_t kTokens = 1100;

std::vector<std::int32_t> token_ids(std::int64_t n) {
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < n; ++i) ids.push_back(static_cast<std::int32_t>(i * i * 37 % 287));
  return ids;
}

// All keys, and a window of 8.
class LongRun : public testing::TestWithParam<const char*> {
 protected:
  const std::shared_ptr<const ModelFile> model_ =
      open_model(test::test_data_path(std::string("oracle/") + GetParam()));
  const std::vector<std::int32_t> ids_ = token_ids(kTokens);

  std::unique_ptr<Engine> open_engine() const {
    return make_cpu_backend()->open(model_, {kTokens, kTokens});
  }
  /// Runs of so many tokens one after the other; then single tokens to the end.
  std::unique_ptr<TapRecorder> run_in(const std::vector<std::int64_t>& pieces) const {
    auto taps = std::make_unique<TapRecorder>(model_->spec().shape, kTokens);
    const auto engine = open_engine();
    std::size_t at = 0;
    for (const std::int64_t n : pieces) {
      engine->run({&ids_[at], static_cast<std::size_t>(n)}, taps.get());
      at += static_cast<std::size_t>(n);
    }
    for (; at < ids_.size(); ++at) engine->run({&ids_[at], 1}, taps.get());
    return taps;
  }
};

void expect_close(const TapRecorder& ours, const TapRecorder& expected) {
  const auto compare = [](const auto& a, const auto& b, const char* name) {
    Deviation d;
    d.add<float, float>(a.span(), b.span());
    EXPECT_LE(d.max_relative(), 1e-5) << name;
    EXPECT_GT(d.max_reference, 0.0) << name;
  };
  compare(ours.query, expected.query, "query");
  compare(ours.key, expected.key, "key");
  compare(ours.value, expected.value, "value");
  compare(ours.attention, expected.attention, "attention");
  compare(ours.logits, expected.logits, "logits");
}

void expect_equal(const TapRecorder& ours, const TapRecorder& expected) {
  const auto same = [](const auto& a, const auto& b) {
    return std::ranges::equal(std::as_bytes(a.span()), std::as_bytes(b.span()));
  };
  EXPECT_TRUE(same(ours.query, expected.query));
  EXPECT_TRUE(same(ours.key, expected.key));
  EXPECT_TRUE(same(ours.value, expected.value));
  EXPECT_TRUE(same(ours.attention, expected.attention));
  EXPECT_TRUE(same(ours.logits, expected.logits));
}

TEST_P(LongRun, PiecesAndSingleTokensGiveWhatTheWholeGives) {
  const auto whole = run_in({kTokens});
  expect_close(*run_in({512, 1, 500, 3, 84}), *whole);
  expect_close(*run_in({700, 385}), *whole);
  expect_close(*run_in({}), *whole);
}

TEST_P(LongRun, SameBytesOnAnyThreadCountInPrefillAndDecode) {
  set_thread_count(1);
  const auto one = run_in({1080});
  set_thread_count(2);
  expect_equal(*run_in({1080}), *one);
  set_thread_count(5);
  expect_equal(*run_in({1080}), *one);
  set_thread_count(0);
}

// Blocks are held until two thirds of what may be held are: while later layers are computed.
TEST_P(LongRun, TapsThatAreTakenLateAreWholeAndTheSame) {
  const auto quick = run_in({kTokens});
  const std::int64_t limit = tap_pool_bytes(model_->spec().shape, {kTokens, kTokens});
  TapRecorder recorder(model_->spec().shape, kTokens);
  LateSink late(recorder, limit / 3 * 2);
  open_engine()->run(ids_, &late);  // the engine is gone before the last blocks are taken
  late.finish();
  expect_equal(recorder, *quick);
  EXPECT_GT(late.most_held_bytes(), limit / 3 * 2);
  EXPECT_LE(late.most_held_bytes(), limit);
}

// Keeps what it was given, and fails at one block.
class FailingSink : public TapSink {
 public:
  explicit FailingSink(std::size_t fails_at) : fails_at_(fails_at) {}
  bool wants(TapKind, std::int64_t, std::int64_t, std::int64_t) const override { return true; }
  void put(const TapBlock& block) override {
    if (held.size() == fails_at_) throw std::runtime_error("the disk is full");
    held.push_back(block);
  }
  std::vector<TapBlock> held;

 private:
  std::size_t fails_at_;
};

TEST_P(LongRun, ASinkThatThrowsStopsTheRun) {
  // A layer gives query, key, value and attention in one block each; three layers, then logits.
  for (const std::size_t fails_at : {0, 1, 3, 4, 12}) {
    FailingSink sink(fails_at);
    const auto engine = make_cpu_backend()->open(model_, {kTokens, kTokens});
    const std::vector<std::int32_t> ids = token_ids(100);
    try {
      engine->run(ids, &sink);
      ADD_FAILURE() << "went on behind block " << fails_at;
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "the disk is full");
    }
    EXPECT_EQ(sink.held.size(), fails_at);
    EXPECT_EQ(engine->n_tokens(), 0);
  }
}

// Looks at attention as it passes: blocks in order that leave nothing out, and whole rows.
class BlockChecker : public TapSink {
 public:
  explicit BlockChecker(std::int64_t n_tokens) : n_tokens_(n_tokens) {}
  bool wants(TapKind what, std::int64_t, std::int64_t, std::int64_t) const override {
    return what == TapKind::attention;
  }
  void put(const TapBlock& block) override {
    ASSERT_EQ((block.layer * 4 + block.first_head) * n_tokens_ + block.first_row, next_row_);
    ASSERT_EQ(block.n_cols, n_tokens_);
    next_row_ += block.n_heads * block.n_rows;
    n_blocks += 1;
    for (const std::int64_t row : {std::int64_t{0}, block.n_rows - 1}) {
      double sum = 0;
      for (const float x : block.floats().subspan(static_cast<std::size_t>(row * n_tokens_),
                                                  static_cast<std::size_t>(n_tokens_))) {
        sum += x;
      }
      EXPECT_NEAR(sum, 1.0, 1e-6) << "row " << block.first_row + row;
    }
  }
  std::int64_t n_blocks = 0;

 private:
  std::int64_t n_tokens_, next_row_ = 0;
};

// Scores of 3,000 tokens are 36 MB a head, more than a block.
TEST_P(LongRun, RowsOfAHeadPassInSeveralBlocksAndChangeNothing) {
  constexpr std::int64_t kMany = 3000;
  const auto ids = token_ids(kMany);
  const auto untapped = make_cpu_backend()->open(model_, {kMany, kMany});
  const auto tapped = make_cpu_backend()->open(model_, {kMany, kMany});
  BlockChecker checker(kMany);
  untapped->run(ids);
  tapped->run(ids, &checker);
  EXPECT_EQ(checker.n_blocks, 3 * 4 * 2);
  EXPECT_TRUE(std::ranges::equal(tapped->logits(), untapped->logits()));
}

INSTANTIATE_TEST_SUITE_P(Tiny, LongRun,
                         testing::Values("tiny_llama/tiny_llama-f32.gguf", "tiny_mistral"),
                         [](const auto& each) {
                           return each.param == std::string("tiny_mistral") ? "mistral" : "llama";
                         });

}  // namespace
}  // namespace qaq
