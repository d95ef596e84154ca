// A capture that the GPU backend made, kernels on the host's SIMT shim: written, opened and
// replayed like any other, with the numbers that the GPU computed with.

#include <cmath>
#include <gtest/gtest.h>

#include "core/engine/backend.h"
#include "core/replay/replayer.h"
#include "data/capture/capture_file.h"
#include "data/capture/capture_writer.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
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
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the writer's threads and HDF5 are not instrumented here; the ring's test is";
#endif
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

}  // namespace
}  // namespace qaq::test
