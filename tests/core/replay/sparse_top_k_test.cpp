// Replays in which a query attends to some keys of the quantized cache alone: neutral settings are
// plain QAQ, and errors are those of a softmax over the largest logits, against all keys.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/replay/bound_check.h"
#include "core/replay/replayer.h"
#include "core/replay/streaming.h"
#include "core/replay/sweep.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kPrefix = 16;

QaqParams top(std::int64_t k) {
  QaqParams params;
  params.sparse_top_k = k;
  return params;
}

template <class T, std::size_t Rank>
bool same_bytes(const NdArray<T, Rank>& a, const NdArray<T, Rank>& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), a.view().span().size_bytes()) == 0;
}

TEST(SparseTopK, OffOrAsManyAsTokensItIsPlain) {
  const MemoryCapture capture = synthetic_capture();
  const auto want = replay(capture, {QaqParams{}, kPrefix});
  for (const std::int64_t k : {0, 24, 1000}) {
    const auto got = replay(capture, {top(k), kPrefix});
    EXPECT_TRUE(same_bytes(got->attention_error, want->attention_error)) << k;
    EXPECT_TRUE(same_bytes(got->output_error, want->output_error)) << k;
    EXPECT_EQ(got->mean_attention_error, want->mean_attention_error);
  }
  EXPECT_FALSE(same_bytes(replay(capture, {top(4), kPrefix})->output_error, want->output_error));
}

TEST(SparseTopK, ChangesNeitherBitsNorBytes) {
  const MemoryCapture capture = synthetic_capture();
  const auto want = replay(capture, {QaqParams{}, kPrefix});
  const auto got = replay(capture, {top(3), kPrefix});
  EXPECT_TRUE(same_bytes(got->key.bits, want->key.bits));
  EXPECT_TRUE(same_bytes(got->value.error, want->value.error));
  EXPECT_EQ(got->key.packed, want->key.packed);
  EXPECT_EQ(got->ratio_packed, want->ratio_packed);
}

// An exact cache, so that what is left out is all that is lost.
TEST(SparseTopK, OfAnExactCacheTheErrorIsWhatIsLeftOut) {
  const SyntheticShape shape;
  const MemoryCapture capture = synthetic_capture(shape);
  for (const std::int64_t k : {1, 2, 7}) {
    QaqParams params = top(k);
    params.key.level = params.value.level = Level::no_quantization;
    const auto result = replay(capture, {params, kPrefix});
    for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
      const auto scores = capture.attention(layer, 0, shape.n_tokens);
      for (std::int64_t head = 0; head < shape.n_heads; ++head) {
        for (std::int64_t s = kPrefix; s < shape.n_tokens; ++s) {
          // The largest scores are those of the largest logits.
          std::vector<double> row;
          for (std::int64_t t = 0; t <= s; ++t) row.push_back(double{scores->view()(head, s, t)});
          std::vector<double> sorted = row;
          std::ranges::sort(sorted, std::greater());
          sorted.resize(static_cast<std::size_t>(k));
          const double least = sorted.back(),
                       kept = std::accumulate(sorted.begin(), sorted.end(), 0.0);
          double want = 0;
          for (const double p : row) {
            const double error = (p >= least ? p / kept : 0) - p;
            want += error * error;
          }
          ASSERT_NEAR(result->attention_error(layer, head, s), want, 1e-5)
              << "top " << k << ", row " << s;
        }
      }
    }
  }
}

TEST(SparseTopK, FewerKeysOfAnExactCacheNeverHelp) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 60});
  double before = 0;
  for (const std::int64_t k : {60, 30, 10, 4, 1}) {
    QaqParams params = top(k);
    params.key.level = params.value.level = Level::no_quantization;
    const double error = replay(capture, {params, 40})->mean_attention_error.value();
    EXPECT_GE(error, before) << k;
    before = error;
  }
  EXPECT_GT(before, 1e-4);
}

TEST(SparseTopK, SweepsAndStreamsFollowIt) {
  const MemoryCapture capture = synthetic_capture();
  Sweeper sweeper(capture, {.prefix = kPrefix, .n_rows = 1000}, {});
  const std::vector<QaqParams> settings{top(0), top(3)};
  const auto swept = sweeper.run(settings, {});
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto whole = replay(capture, {settings[i], kPrefix});
    EXPECT_NEAR(swept[i]->mean_output_error.value(), whole->mean_output_error.value(), 1e-9);
  }
  EXPECT_GT(swept[1]->mean_output_error.value(), swept[0]->mean_output_error.value());
  const auto plain = stream(capture, {top(0), {}, kPrefix}),
             wide = stream(capture, {top(24), {}, kPrefix}),
             narrow = stream(capture, {top(3), {}, kPrefix});
  EXPECT_TRUE(same_bytes(wide->output_error, plain->output_error));
  EXPECT_FALSE(same_bytes(narrow->output_error, plain->output_error));
  EXPECT_TRUE(same_bytes(narrow->key.values, plain->key.values)) << "importance is as captured";
}

TEST(SparseTopK, ThreadCountChangesNoByte) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 80});
  const auto want = replay(capture, {top(5), 50});
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    EXPECT_TRUE(same_bytes(replay(capture, {top(5), 50})->output_error, want->output_error));
  }
  set_thread_count(0);
}

TEST(SparseTopK, NoPromiseCoversIt) {
  const MemoryCapture capture = synthetic_capture();
  QaqParams params = top(3);
  params.key.variant = params.value.variant = Variant::bound;
  try {
    check_bound(capture, {.replay = {params, kPrefix}});
    FAIL() << "was checked";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("sparse_top_k"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace qaq::test
