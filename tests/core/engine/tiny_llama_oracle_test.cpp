// A small random LLaMA as GGUF against a float64 forward pass: bounds of
// tests/data/oracle/README.md. It runs without the real model and is tight enough to show a wrong
// epsilon.

#include <cstdio>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/engine/backend.h"
#include "core/tensor/logits_summary.h"
#include "data/models/model_file.h"
#include "tests/support/deviation.h"
#include "tests/support/reference_file.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using test::Deviation;
using test::ReferenceFile;
using test::TapRecorder;

std::vector<std::int32_t> token_ids(const ReferenceFile& reference) {
  const auto wide = reference.integers("token_ids");
  return {wide.begin(), wide.end()};
}

std::shared_ptr<const ModelFile> tiny_model(const std::string& type = "f32") {
  return open_model(test::test_data_path("oracle/tiny_llama/tiny_llama-" + type + ".gguf"));
}

void expect_near(const std::span<const float>& ours, const ReferenceFile& reference,
                 const std::string& name, double bound_of_max) {
  Deviation d;
  const auto numbers = reference.floats(name);
  d.add<float, float>(ours, numbers);
  std::printf("  %-12s %.1e of max\n", name.c_str(), d.max_relative());
  EXPECT_LE(d.max_relative(), bound_of_max) << name;
  EXPECT_GT(d.max_reference, 0.0) << name;
}

TEST(TinyLlamaOracle, EveryTapInF32) {
  const ReferenceFile reference(test::test_data_path("oracle/tiny_llama_forward.h5"));
  const auto ids = token_ids(reference);
  const auto n = static_cast<std::int64_t>(ids.size());
  const auto model = tiny_model();
  const auto engine = make_cpu_backend()->open(model, {n, n});
  TapRecorder taps(model->spec().shape, n);
  engine->run(ids, &taps);
  std::printf("tiny_llama_forward:\n");
  expect_near(taps.query.span(), reference, "query", 1e-5);
  expect_near(taps.key.span(), reference, "key", 1e-5);
  expect_near(taps.value.span(), reference, "value", 1e-5);
  expect_near(taps.logits.span(), reference, "logits", 1e-5);
  Deviation attention;
  const auto scores = reference.floats("attention");
  attention.add<float, float>(taps.attention.span(), scores);
  EXPECT_LE(attention.max_abs, 1e-5);
}

TEST(TinyLlamaOracle, F16Weights) {
  const ReferenceFile reference(test::test_data_path("oracle/tiny_llama_forward_f16.h5"));
  const auto ids = token_ids(reference);
  const auto n = static_cast<std::int64_t>(ids.size());
  const auto model = tiny_model("f16");
  const auto engine = make_cpu_backend()->open(model, {n, n});
  TapRecorder taps(model->spec().shape, n);
  engine->run(ids, &taps);
  std::printf("tiny_llama_forward_f16:\n");
  expect_near(taps.logits.span(), reference, "logits", 1e-5);
  const auto last = model->spec().shape.n_layers - 1;
  expect_near(taps.key.sub(last).span(), reference, "key_last_layer", 1e-5);
}

TEST(TinyLlamaOracle, GreedyTokens) {
  const ReferenceFile reference(test::test_data_path("oracle/tiny_llama_forward.h5"));
  const auto ids = token_ids(reference);
  const auto expected = reference.integers("greedy_token");
  const auto n = static_cast<std::int64_t>(ids.size());
  const auto engine =
      make_cpu_backend()->open(tiny_model(), {n + static_cast<std::int64_t>(expected.size()), n});
  engine->run(ids);
  for (const std::int64_t token : expected) {
    const std::int32_t ours = engine->greedy_token();
    EXPECT_EQ(ours, token);
    engine->run({&ours, 1});
  }
}

TEST(Engine, PrefillAndDecodeTapTheSameNumbers) {
  const auto model = tiny_model();
  const std::vector<std::int32_t> ids{5, 9, 200, 17, 42, 3, 77, 120};
  const auto n = static_cast<std::int64_t>(ids.size());
  const ModelShape& shape = model->spec().shape;
  TapRecorder whole(shape, n), stepped(shape, n);
  make_cpu_backend()->open(model, {n, n})->run(ids, &whole);
  const auto engine = make_cpu_backend()->open(model, {n, n});
  engine->run({ids.data(), 3}, &stepped);
  for (std::size_t i = 3; i < ids.size(); ++i) engine->run({&ids[i], 1}, &stepped);
  const auto expect_close = [](const auto& a, const auto& b, double bound) {
    Deviation d;
    d.add<float, float>(a.span(), b.span());
    EXPECT_LE(d.max_relative(), bound);
  };
  expect_close(stepped.query, whole.query, 1e-5);
  expect_close(stepped.key, whole.key, 1e-5);
  expect_close(stepped.value, whole.value, 1e-5);
  expect_close(stepped.attention, whole.attention, 1e-5);
  expect_close(stepped.logits, whole.logits, 1e-5);
}

TEST(Engine, ForgettingTokensGoesBackToWhereTheyWere) {
  const auto model = tiny_model();
  const std::vector<std::int32_t> first{5, 9, 200, 17, 42, 3}, other{77, 120, 8};
  const auto engine = make_cpu_backend()->open(model, {9, 9});
  engine->run(first);
  engine->keep(4);
  EXPECT_EQ(engine->n_tokens(), 4);
  engine->run(other);
  const auto fresh = make_cpu_backend()->open(model, {9, 9});
  fresh->run({first.data(), 4});
  fresh->run(other);
  ASSERT_EQ(engine->logits().size(), fresh->logits().size());
  for (std::size_t i = 0; i < fresh->logits().size(); ++i) {
    EXPECT_NEAR(engine->logits()[i], fresh->logits()[i], 1e-5) << "token " << i;
  }
  engine->keep(100);  // more than there are
  EXPECT_EQ(engine->n_tokens(), 7);
}

TEST(Engine, SameBytesOnAnyThreadCount) {
  const auto model = tiny_model();
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 100; ++i) ids.push_back((i * 37 + 11) % 288);
  const auto n = static_cast<std::int64_t>(ids.size());
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    set_thread_count(threads);
    TapRecorder taps(model->spec().shape, n);
    make_cpu_backend()->open(model, {n, n})->run(ids, &taps);
    std::vector<float> all(taps.logits.span().begin(), taps.logits.span().end());
    all.insert(all.end(), taps.attention.span().begin(), taps.attention.span().end());
    results.push_back(std::move(all));
  }
  set_thread_count(0);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(Engine, TapsComeInOrderOfLayerKindHeadRow) {
  const auto model = tiny_model();
  const std::vector<std::int32_t> ids{5, 9, 200, 17};
  TapRecorder taps(model->spec().shape, 4);
  make_cpu_backend()->open(model, {4, 4})->run(ids, &taps);
  const auto place = [](const TapBlock& b) {
    return std::tuple(b.layer, static_cast<int>(b.what), b.first_head, b.first_row);
  };
  ASSERT_GT(taps.order.size(), 3u);
  for (std::size_t i = 1; i < taps.order.size(); ++i) {
    EXPECT_LT(place(taps.order[i - 1]), place(taps.order[i]));
  }
}

TEST(Engine, RefusesTokensOutsideItsVocabularyAndLimits) {
  const auto model = tiny_model();
  const auto engine = make_cpu_backend()->open(model, {4, 4});
  const std::vector<std::int32_t> unknown{1, 288};
  EXPECT_THROW(engine->run(unknown), Error);
  const std::vector<std::int32_t> too_many{1, 2, 3, 4, 5};
  EXPECT_THROW(engine->run(too_many), Error);
  EXPECT_EQ(engine->n_tokens(), 0);
}

TEST(Engine, StopsWhenAsked) {
  const auto model = tiny_model();
  std::stop_source stop;
  stop.request_stop();
  const auto engine = make_cpu_backend()->open(model, {4, 4});
  const std::vector<std::int32_t> ids{1, 2};
  try {
    engine->run(ids, nullptr, Work(nullptr, stop.get_token()));
    FAIL() << "went on after a stop request";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

}  // namespace
}  // namespace qaq
