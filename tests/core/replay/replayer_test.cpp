// Properties of a replay: what depends on what, and what does not.
#include "core/replay/replayer.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <stop_token>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

template <class T, std::size_t Rank>
bool same(const NdArray<T, Rank>& a, const NdArray<T, Rank>& b) {
  return a.shape() == b.shape() && std::equal(reinterpret_cast<const char*>(a.data()),
                                              reinterpret_cast<const char*>(a.data() + a.size()),
                                              reinterpret_cast<const char*>(b.data()));
}

void expect_same_cache(const CacheReplay& a, const CacheReplay& b) {
  EXPECT_TRUE(same(a.bits, b.bits));
  EXPECT_TRUE(same(a.outliers, b.outliers));
  EXPECT_TRUE(same(a.error, b.error));
  EXPECT_EQ(a.quantization_error, b.quantization_error);
  EXPECT_EQ(a.size_per_token_bits, b.size_per_token_bits);
  EXPECT_EQ(a.packed.total(), b.packed.total());
}

void expect_same(const ReplayResult& a, const ReplayResult& b) {
  expect_same_cache(a.key, b.key);
  expect_same_cache(a.value, b.value);
  EXPECT_TRUE(same(a.attention_error, b.attention_error));
  EXPECT_TRUE(same(a.output_error, b.output_error));
  EXPECT_EQ(a.mean_attention_error, b.mean_attention_error);
  EXPECT_EQ(a.mean_output_error, b.mean_output_error);
  EXPECT_EQ(a.ratio_packed, b.ratio_packed);
}

ReplayOptions options_of(Level level, double e = 0.3, std::int64_t prefix = 0) {
  ReplayOptions options;
  options.prefix = prefix;
  for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
    side->level = level;
    side->target_quantization_error = e;
    side->outliers_ratio = 0.1;
    side->last_n_attentions = 3;
  }
  return options;
}

class RestoreThreads {
 public:
  ~RestoreThreads() { set_thread_count(0); }
};

TEST(Replayer, ThreadCountChangesNoByte) {
  const RestoreThreads restore;
  const MemoryCapture capture = synthetic_capture({.n_layers = 3, .n_tokens = 200});
  for (const Level level : {Level::token, Level::layer, Level::head}) {
    set_thread_count(1);
    const auto one = replay(capture, options_of(level, 0.3, 150));
    for (const int n_threads : {2, 5}) {
      set_thread_count(n_threads);
      expect_same(*one, *replay(capture, options_of(level, 0.3, 150)));
    }
  }
}

TEST(Replayer, WhatWasAskedBeforeChangesNoByte) {
  const MemoryCapture capture = synthetic_capture();
  Replayer replayer(capture);
  std::vector<ReplayOptions> asked{options_of(Level::head),        options_of(Level::head, 3),
                                   options_of(Level::token),       options_of(Level::layer, 1, 11),
                                   options_of(Level::head, 3, 11), options_of(Level::head)};
  asked.push_back(options_of(Level::head));
  asked.back().params.value.outliers_ratio = 0.3;
  asked.push_back(options_of(Level::head));
  asked.back().params.gqa_reduce = GqaReduce::mean;
  asked.push_back(options_of(Level::head));
  asked.back().params.value.last_n_attentions = 7;
  asked.push_back(options_of(Level::no_quantization));
  // What the other variants read is kept, too, and must follow each parameter that it depends on.
  for (const char* change :
       {"variant=bound", "key.q_norm=auto", "key.q_norm_quantile=0.5", "key.bound_target=output",
        "bits_rule=measured", "range_rule=mean_centred", "range_rule=minmax", "symmetric=true",
        "store_scale=f16", "outliers_ratio=0.2", "level=layer", "key.last_n_attentions=6",
        "gqa_reduce=sum", "variant=paper"}) {
    if (std::string(change) == "variant=bound")
      asked.push_back(options_of(Level::head));
    else
      asked.push_back(asked.back());
    apply_assignment(asked.back().params, change);
  }
  asked.push_back(asked.back());
  asked.back().prefix = 9;
  for (const ReplayOptions& options : asked) {
    expect_same(*replayer.full(options), *replay(capture, options));
  }
}

TEST(Replayer, BitsAreThoseOfTheWholeReplay) {
  const MemoryCapture capture = synthetic_capture();
  Replayer replayer(capture);
  const auto bits = replayer.bits(options_of(Level::head, 0.3, 17));
  const auto full = replayer.full(options_of(Level::head, 0.3, 17));
  expect_same_cache(bits->key, full->key);
  expect_same_cache(bits->value, full->value);
  EXPECT_TRUE(bits->attention_error.empty());
  EXPECT_FALSE(full->attention_error.empty());
  EXPECT_EQ(bits->in_sample, full->in_sample);
}

TEST(Replayer, BehindThePrefixEverythingIsExact) {
  const MemoryCapture capture = synthetic_capture();
  const auto result = replay(capture, options_of(Level::layer, 3, 10));
  EXPECT_EQ(result->prefix, 10);
  for (const CacheReplay* cache : {&result->key, &result->value}) {
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      for (std::int64_t head = 0; head < 2; ++head) {
        for (std::int64_t token = 0; token < 24; ++token) {
          if (token < 10) {
            EXPECT_LE(cache->bits(layer, head, token), 8);
          } else {
            EXPECT_EQ(cache->bits(layer, head, token), 16);
            EXPECT_EQ(cache->error(layer, head, token), 0);
            EXPECT_EQ(cache->outliers(layer, head, token, 0), 0);
          }
        }
      }
    }
    EXPECT_EQ(cache->n_values, 2 * 2 * 10 * 8);
  }
}

TEST(Replayer, APrefixIsTheCaptureCutThere) {
  // A capture of the first 13 tokens alone must give the same bits and errors.
  const SyntheticShape whole{.n_tokens = 24}, cut{.n_tokens = 13};
  const MemoryCapture::Arrays arrays = synthetic_arrays(whole, 1);
  MemoryCapture::Arrays first;
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const auto cut_tokens = [](const NdArray<float, 3>& a, bool square) {
      NdArray<float, 3> out({a.shape(0), 13, square ? 13 : a.shape(2)});
      for (std::int64_t h = 0; h < a.shape(0); ++h) {
        for (std::int64_t t = 0; t < 13; ++t) {
          std::copy_n(a.sub(h, t).data(), out.shape(2), out.sub(h, t).data());
        }
      }
      return out;
    };
    first.key.push_back(cut_tokens(arrays.key[layer], false));
    first.value.push_back(cut_tokens(arrays.value[layer], false));
    first.query.push_back(cut_tokens(arrays.query[layer], false));
    first.attention.push_back(cut_tokens(arrays.attention[layer], true));
  }
  const MemoryCapture small(synthetic_info(cut), std::move(first));
  const auto a = replay(synthetic_capture(whole), options_of(Level::token, 0.3, 13));
  const auto b = replay(small, options_of(Level::token, 0.3));
  EXPECT_EQ(a->key.quantization_error, b->key.quantization_error);
  EXPECT_EQ(a->value.quantization_error, b->value.quantization_error);
  EXPECT_EQ(a->value.mean_bits, b->value.mean_bits);
  EXPECT_EQ(a->value.packed.total(), b->value.packed.total());
  EXPECT_EQ(a->ratio_packed, b->ratio_packed);
}

TEST(Replayer, LayersAndKvHeadsMaySwapPlaces) {
  const SyntheticShape shape;
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  std::swap(arrays.key[0], arrays.key[1]);
  std::swap(arrays.value[0], arrays.value[1]);
  std::swap(arrays.query[0], arrays.query[1]);
  std::swap(arrays.attention[0], arrays.attention[1]);
  const MemoryCapture swapped(synthetic_info(shape), std::move(arrays));
  const auto a = replay(synthetic_capture(shape), options_of(Level::head));
  const auto b = replay(swapped, options_of(Level::head));
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    for (std::int64_t head = 0; head < 2; ++head) {
      for (std::int64_t token = 0; token < 24; ++token) {
        EXPECT_EQ(a->value.bits(layer, head, token), b->value.bits(1 - layer, head, token));
        EXPECT_EQ(a->key.error(layer, head, token), b->key.error(1 - layer, head, token));
      }
    }
  }
}

TEST(Replayer, AWindowOfRowsIsEnough) {
  const auto whole = replay(synthetic_capture(), options_of(Level::head));
  const auto window = replay(synthetic_capture({}, 1, 5), options_of(Level::head));
  expect_same_cache(whole->value, window->value);
  expect_same_cache(whole->key, window->key);
  EXPECT_EQ(window->attention_error.shape(2), 5);
}

TEST(Replayer, DerivedAttentionGivesTheSameBits) {
  const SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  info.profile = AttentionProfile::derive;
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  arrays.attention.clear();
  const MemoryCapture derived(std::move(info), std::move(arrays));
  expect_same_cache(replay(synthetic_capture(), options_of(Level::head))->value,
                    replay(derived, options_of(Level::head))->value);
}

// The error that `body` throws.
template <class Body>
Error error_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::work, {});
}

TEST(Replayer, MissingRowsAreRefusedWithTheCure) {
  const MemoryCapture window = synthetic_capture({}, 1, 2);
  const Error error = error_of([&] { replay(window, options_of(Level::head)); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_NE(error.text().cure.find("--attention derive"), std::string::npos);
  EXPECT_NE(error.text().what.find("21 to 23"), std::string::npos) << error.what();

  const MemoryCapture behind = synthetic_capture({}, 1, 6);
  EXPECT_EQ(error_of([&] { replay(behind, options_of(Level::head, 1, 15)); }).kind(),
            ErrorKind::input)
      << "rows 18 to 23 say nothing about a prefix of 15";

  ReplayOptions fixed = options_of(Level::head);
  fixed.params.value.use_attentions = false;
  EXPECT_NO_THROW(replay(window, fixed));
}

TEST(Replayer, AnyPrefixWithinTheCaptureIsTaken) {
  const MemoryCapture capture = synthetic_capture();
  for (const std::int64_t prefix : {-1, 25}) {
    const Error error = error_of([&] { replay(capture, options_of(Level::head, 1, prefix)); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.text().place, "--prefix");
  }
  for (const std::int64_t prefix : {1, 2, 24}) {
    EXPECT_EQ(replay(capture, options_of(Level::head, 1, prefix))->prefix, prefix);
  }
}

TEST(Replayer, AStopIsObeyedAndLeavesTheReplayerUsable) {
  const MemoryCapture capture = synthetic_capture();
  Replayer replayer(capture);
  std::stop_source source;
  source.request_stop();
  const Error error =
      error_of([&] { replayer.full(options_of(Level::head), Work(nullptr, source.get_token())); });
  EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  expect_same(*replayer.full(options_of(Level::head)), *replay(capture, options_of(Level::head)));
}

TEST(Replayer, TheSmallestCaptureHasAnAnswer) {
  const MemoryCapture one = synthetic_capture(
      {.n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 1, .head_dim = 1});
  const auto result = replay(one, options_of(Level::head));
  EXPECT_EQ(result->key.quantization_error, 0) << "a single value is its own outlier";
  EXPECT_EQ(result->key.n_outliers, 1);
  EXPECT_TRUE(std::isfinite(*result->mean_attention_error));
}

}  // namespace
}  // namespace qaq::test
