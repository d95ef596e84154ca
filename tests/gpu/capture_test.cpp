// A capture that the GPU backend made, kernels on the host's SIMT shim: written, opened and
// replayed like any other, with the numbers that the GPU computed with.

#include <cmath>
#include <gtest/gtest.h>

#include "core/engine/backend.h"
#include "core/replay/replayer.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_writer.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_thread.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "gpu/engine/cuda_ops.h"
#include "gpu/engine/device_plan.h"
#include "tests/gpu/simt/simt.h"
#include "tests/support/deviation.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

const std::vector<std::int32_t> kIds{5, 9, 200, 17, 42, 3, 77, 120, 8, 64};
constexpr std::int64_t kPrompt = 7;

CapturePlan plan_for(const ModelSpec& spec, AttentionProfile profile) {
  CapturePlan plan;
  plan.info.model_name = "tiny";
  plan.info.architecture = spec.architecture;
  plan.info.model_sha256 = std::string(64, 'a');
  plan.info.weights_dtype = spec.weights_dtype;
  plan.info.config_json = spec.config_json;
  plan.info.rope_theta = spec.rope.theta;
  plan.info.shape = spec.shape;
  for (std::int32_t layer = 0; layer < spec.shape.n_layers; ++layer) {
    plan.info.layers.push_back(layer);
  }
  plan.info.n_prompt = kPrompt;
  plan.info.prompt_text = "made up";
  plan.info.creator = "qaq 0.1.0";
  plan.info.command_line = "qaq capture --device cuda";
  plan.info.created_utc = "2026-01-02T03:04:05Z";
  plan.info.dtype = DType::f16;
  plan.info.has_queries = true;
  plan.info.profile = profile;
  plan.tokenizer_kind = "byte-level-bpe";
  plan.tokenizer_sha256 = std::string(64, 'b');
  plan.max_tokens = std::ssize(kIds);
  plan.top_k = 8;
  return plan;
}

void run(Engine& engine, TapSink& taps) {
  engine.run(std::span(kIds).first(kPrompt), &taps);
  for (const std::int32_t id : std::span(kIds).subspan(kPrompt)) engine.run({&id, 1}, &taps);
}

class CudaCapture : public testing::TestWithParam<AttentionProfile> {};

TEST_P(CudaCapture, OpensAndReplaysLikeAnyOther) {
  if (simt::thread_sanitizer()) {
    GTEST_SKIP() << "the writer's threads and HDF5 are not instrumented here; the ring's test is";
  }
  const auto model = open_model(test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
  const auto n = std::ssize(kIds);
  const EngineLimits limits{.max_tokens = n, .max_batch = kPrompt, .dtype = DType::f16};
  const TemporaryFolder folder;
  const std::string path = folder.file("gpu.h5");
  {
    const auto engine = make_cuda_backend()->open(model, limits);
    const auto writer = CaptureWriter::create(path, plan_for(model->spec(), GetParam()));
    run(*engine, *writer);
    CaptureTokens tokens{.ids = kIds, .text = {}, .bytes = {}};
    tokens.text.assign(kIds.size(), "t");
    tokens.bytes.assign(kIds.size(), "t");
    writer->finish(tokens, R"({"backend": "cuda"})");
  }
  TapRecorder taps(model->spec().shape, n);
  run(*make_cuda_backend()->open(model, limits), taps);

  const auto capture = open_capture(path);
  EXPECT_EQ(capture->info().dtype, DType::f16);
  EXPECT_EQ(capture->info().n_tokens, n);
  for (std::int64_t layer = 0; layer < model->spec().shape.n_layers; ++layer) {
    EXPECT_TRUE(std::ranges::equal(capture->key(layer)->span(), taps.key.sub(layer).span()));
    EXPECT_TRUE(std::ranges::equal(capture->value(layer)->span(), taps.value.sub(layer).span()));
    EXPECT_TRUE(std::ranges::equal(capture->query(layer)->span(), taps.query.sub(layer).span()));
    const auto scores = capture->attention(layer, 0, n);
    double worst = 0;
    for (std::int64_t i = 0; i < scores->size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(scores->data()[i]) -
                                       static_cast<double>(taps.attention.sub(layer).data()[i])));
    }
    // Stored as they came, or derived from queries and keys of 16 bits.
    EXPECT_LE(worst, GetParam() == AttentionProfile::full ? 0.0 : 1e-5);
  }
  const SharedReplay replayed = replay(*capture, {});
  EXPECT_GT(replayed->ratio_packed, 1.0);
  EXPECT_TRUE(replayed->mean_attention_error && *replayed->mean_attention_error > 0);
}

INSTANTIATE_TEST_SUITE_P(Profiles, CudaCapture,
                         testing::Values(AttentionProfile::full, AttentionProfile::derive),
                         [](const auto& profile) {
                           return profile.param == AttentionProfile::full ? "full" : "derive";
                         });

std::shared_ptr<const ModelFile> tiny_llama() {
  return open_model(test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
}

/// More than the engine asks about at a time.
constexpr std::int64_t kLong = 73;

std::vector<std::int32_t> long_text() {
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < kLong; ++i) ids.push_back((37 * i + 11) % 250);
  return ids;
}

struct WindowCase {
  const char* name;
  std::int64_t n_prompt;
  std::int64_t window;
  bool may_end_early = false;
};

CapturePlan long_plan(const ModelSpec& spec, AttentionProfile profile, const WindowCase& c) {
  CapturePlan plan = plan_for(spec, profile);
  plan.info.n_prompt = c.n_prompt;
  plan.info.dtype = DType::f32;
  plan.max_tokens = kLong;
  plan.attention_window = c.window;
  plan.may_end_early = c.may_end_early;
  return plan;
}

/// What a capture holds of the scores: all numbers of a dataset.
struct ScoreNumbers {
  std::vector<float> scores, window, sum, entropy;
};

/// Captures the text; gives what was copied to the host meanwhile.
std::size_t capture_long(const Backend& backend, const CapturePlan& plan, const std::string& path) {
  const std::vector<std::int32_t> ids = long_text();
  const auto engine =
      backend.open(tiny_llama(), {.max_tokens = kLong, .max_batch = plan.info.n_prompt}, {});
  const auto writer = CaptureWriter::create(path, plan);
  const auto prompt = std::span(ids).first(static_cast<std::size_t>(plan.info.n_prompt));
  const std::size_t before = simt::bytes_to_host();
  engine->run(prompt, writer.get());
  for (const std::int32_t id : std::span(ids).subspan(prompt.size())) {
    engine->run({&id, 1}, writer.get());
  }
  const std::size_t copied = simt::bytes_to_host() - before;
  CaptureTokens tokens{.ids = ids, .text = {}, .bytes = {}};
  tokens.text.assign(ids.size(), "t");
  tokens.bytes.assign(ids.size(), "t");
  writer->finish(tokens, "{}");
  return copied;
}

ScoreNumbers scores_in(const std::string& path) {
  return h5::thread().run([&] {
    const h5::File file(path, h5::Access::read);
    const auto read = [&](const std::string& name) {
      return h5::read_array<float>(file, "/entry/" + name);
    };
    return ScoreNumbers{read("attention/scores"), read("stats/importance_window"),
                        read("stats/importance_sum"), read("stats/entropy")};
  });
}

Deviation deviation(const std::vector<float>& got, const std::vector<float>& want) {
  Deviation d;
  d.add<float, float>(got, want);
  return d;
}

class CudaWindow : public testing::TestWithParam<WindowCase> {};

// The same engine's scores, stored whole, say what the statistics should be: an entropy to 1e-6, a
// sum that was rounded twice to what was rounded once. The CPU's are as near as its scores are.
TEST_P(CudaWindow, MovesTheRowsItStoresAndStatisticsOfTheOthers) {
  if (simt::thread_sanitizer()) {
    GTEST_SKIP() << "the writer's threads and HDF5 are not instrumented here; the ring's test is";
  }
  const ModelSpec spec = tiny_llama()->spec();
  const auto plan_of = [&](AttentionProfile profile) {
    return long_plan(spec, profile, GetParam());
  };
  const TemporaryFolder folder;
  const auto gpu = make_cuda_backend();
  const CapturePlan window = plan_of(AttentionProfile::window);
  const CapturePlan full = plan_of(AttentionProfile::full);
  const CapturePlan none = plan_of(AttentionProfile::none);
  const auto moved = static_cast<std::int64_t>(capture_long(*gpu, window, folder.file("gpu.h5")));
  const auto moved_full =
      static_cast<std::int64_t>(capture_long(*gpu, full, folder.file("full.h5")));
  const auto moved_none =
      static_cast<std::int64_t>(capture_long(*gpu, none, folder.file("none.h5")));
  // Beside the taps each run's last row of logits is copied, in all profiles.
  const std::int64_t last_rows = (1 + kLong - window.info.n_prompt) * 4 * spec.shape.vocab_size;
  EXPECT_EQ(moved, predicted_link_bytes(window) + last_rows);
  EXPECT_EQ(moved_full, predicted_link_bytes(full) + last_rows);
  EXPECT_EQ(moved_none, predicted_link_bytes(none) + last_rows);
  EXPECT_LT(2 * (moved - moved_none), moved_full - moved_none);

  const ScoreNumbers ours = scores_in(folder.file("gpu.h5"));
  const ScoreNumbers all = scores_in(folder.file("full.h5"));
  EXPECT_EQ(ours.window, all.window);
  ASSERT_EQ(ours.sum.size(), all.sum.size());
  for (std::size_t i = 0; i < all.sum.size(); ++i) {
    ASSERT_GT(all.sum[i], 0);
    ASSERT_NEAR(ours.sum[i], all.sum[i], 3 * 0x1p-24 * all.sum[i]) << i;
  }
  for (std::size_t i = 0; i < all.entropy.size(); ++i) {
    ASSERT_NEAR(ours.entropy[i], all.entropy[i], 1e-6 * all.entropy[i]) << i;
  }
  const std::int64_t n_heads = spec.shape.n_layers * spec.shape.n_heads;
  const std::int64_t n_stored = window.attention_window;
  ASSERT_EQ(std::ssize(ours.scores), n_heads * n_stored * kLong);
  for (std::int64_t head = 0; head < n_heads; ++head) {
    const float* stored = ours.scores.data() + head * n_stored * kLong;
    const float* last = all.scores.data() + ((head + 1) * kLong - n_stored) * kLong;
    EXPECT_TRUE(std::equal(stored, stored + n_stored * kLong, last)) << "head " << head;
  }

  capture_long(*make_cpu_backend(), window, folder.file("cpu.h5"));
  const ScoreNumbers theirs = scores_in(folder.file("cpu.h5"));
  EXPECT_LE(deviation(ours.scores, theirs.scores).max_abs, 1e-5);
  EXPECT_LE(deviation(ours.window, theirs.window).max_abs, 1e-5);
  EXPECT_LE(deviation(ours.entropy, theirs.entropy).max_relative(), 1e-5);
  EXPECT_LE(deviation(ours.sum, theirs.sum).max_relative(), 1e-5);
}

// Five rows of importance where three are stored, two of them of the prompt; rows that are decoded
// and not stored; a ring of rows that may end with the prompt.
INSTANTIATE_TEST_SUITE_P(Runs, CudaWindow,
                         testing::Values(WindowCase{"importance", 70, 3},
                                         WindowCase{"decoded", 66, 3},
                                         WindowCase{"may_end_early", 70, 8, true}),
                         [](const auto& each) { return std::string(each.param.name); });

/// An engine whose regions hold less than a head's scores.
class SmallRegions : public cuda::CudaOps {
 public:
  SmallRegions(const ModelSpec& spec, const EngineLimits& limits, std::int64_t bytes)
      : CudaOps(spec, limits, nullptr) {
    if (bytes > 0) region_bytes_ = bytes;
  }
};

/// Adds statistics up, as they come.
class SummedScores : public TapSink {
 public:
  SummedScores(const ModelShape& s, std::int64_t n_rows)
      : entropy({s.n_layers, s.n_heads, n_rows}), sum({s.n_layers, s.n_heads, n_rows}) {}
  bool wants(TapKind what, std::int64_t, std::int64_t, std::int64_t) const override {
    return what == TapKind::attention;
  }
  std::int64_t first_whole_row() const override { return entropy.shape(2); }
  void put(const TapBlock& block) override {
    ++n_blocks;
    if (block.what == TapKind::attention) {
      EXPECT_EQ(block.first_row, entropy.shape(2));
      return;
    }
    ASSERT_EQ(block.what, TapKind::attention_stats);
    const float* from = block.floats().data();
    for (std::int64_t head = block.first_head; head < block.first_head + block.n_heads; ++head) {
      std::copy_n(from, block.n_rows, entropy.sub(block.layer, head).data() + block.first_row);
      from += block.n_rows;
      for (std::int64_t key = 0; key < block.n_cols; ++key) sum(block.layer, head, key) += *from++;
    }
  }
  NdArray<float, 3> entropy;
  NdArray<double, 3> sum;
  int n_blocks = 0;
};

// However little a region holds: entropies are the same bytes, sums are rounded more often. Streams
// run in random order, so that a scratch that is used again too early shows.
TEST(CudaEngine, StatisticsMayComeInParts) {
  constexpr std::int64_t kRows = 24;
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  const std::vector<std::int32_t> ids = long_text();
  std::vector<DType> dtypes{DType::f32};
  if (!simt::thread_sanitizer()) dtypes.push_back(DType::f16);
  for (const DType dtype : dtypes) {
    const EngineLimits limits{.max_tokens = kRows + 1, .max_batch = kRows + 1, .dtype = dtype};
    const auto run = [&](std::int64_t region_bytes, std::uint64_t seed) {
      simt::defer(seed > 0, seed);
      SummedScores sink(s, kRows);
      Engine engine(model, std::make_unique<SmallRegions>(model->spec(), limits, region_bytes),
                    limits);
      engine.run(std::span(ids).first(kRows + 1), &sink);
      simt::defer(false);
      return sink;
    };
    const SummedScores together = run(0, 0);
    EXPECT_EQ(together.n_blocks, 2 * s.n_layers) << "statistics, and the last row";
    // Two heads at a time; seven rows of one.
    for (const std::int64_t bytes :
         {cuda::stats_region_bytes(2, 0, kRows), 7 * cuda::stats_region_bytes(1, kRows - 1, 1)}) {
      const SummedScores parts = run(bytes, 5);
      EXPECT_GT(parts.n_blocks, together.n_blocks);
      EXPECT_TRUE(std::ranges::equal(parts.entropy.span(), together.entropy.span()));
      for (std::size_t i = 0; i < parts.sum.span().size(); ++i) {
        ASSERT_GT(together.sum.span()[i], 0);
        ASSERT_NEAR(parts.sum.span()[i], together.sum.span()[i], 0x1p-23 * together.sum.span()[i]);
      }
    }
  }
}

}  // namespace
}  // namespace qaq::test
