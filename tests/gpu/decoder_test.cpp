// Decoding on a quantized cache on the GPU backend, kernels on the host's SIMT shim, held against
// the closed loop on the CPU: in float32 both see the same numbers to 1e-6, so plans, counts and
// bytes are equal.

#include <cstdlib>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/policy/policies.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "gpu/codec/cuda_decoder.h"
#include "tests/gpu/cases/decoding.h"
#include "tests/gpu/failing_allocations.h"
#include "tests/gpu/simt/simt.h"
#include "tests/support/deviation.h"
#include "tests/support/refusal.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

using cases::Decoded;
using cases::kNext;
using cases::kPrompt;
using cases::policy_of;
using cases::Settings;

std::shared_ptr<const ModelFile> tiny_llama() {
  return open_model(test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
}

Decoded on_cpu(const DecodePolicy& policy) { return cases::decode_on_cpu(tiny_llama(), policy); }
Decoded on_gpu(const DecodePolicy& policy) { return cases::decode_on_gpu(tiny_llama(), policy); }

struct Setting {
  const char* name;
  Settings settings;
};
Setting on_device(const char* name, const Settings& settings) {
  return {name, cases::on_device(settings)};
}
void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

class Decoder : public testing::TestWithParam<Setting> {};

TEST_P(Decoder, PlansCountsAndBytesAreTheClosedLoops) {
  const DecodePolicy policy = policy_of(GetParam().settings);
  const Decoded cpu = on_cpu(policy), gpu = on_gpu(policy);
  EXPECT_EQ(gpu.key_bits, cpu.key_bits);
  EXPECT_EQ(gpu.value_bits, cpu.value_bits);
  Deviation d;
  d.add<float, float>(gpu.logits, cpu.logits);
  EXPECT_LE(d.max_relative(), 2e-5);
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    const bool key = side == CacheSide::key;
    const CacheChanges &a = key ? gpu.figures.key : gpu.figures.value,
                       &b = key ? cpu.figures.key : cpu.figures.value;
    EXPECT_EQ(a.promotions, b.promotions);
    EXPECT_EQ(a.demotions, b.demotions);
    EXPECT_EQ(a.fetched, b.fetched);
    EXPECT_EQ(a.requantized_values, b.requantized_values);
    EXPECT_EQ(a.h2d.bytes, b.h2d.bytes);
    EXPECT_EQ(key ? gpu.figures.key_bytes : gpu.figures.value_bytes,
              key ? cpu.figures.key_bytes : cpu.figures.value_bytes);
  }
  EXPECT_EQ(gpu.figures.resident_bytes, cpu.figures.resident_bytes);
  EXPECT_EQ(gpu.figures.full_bytes, cpu.figures.full_bytes);
  EXPECT_EQ(gpu.figures.d2h.bytes, cpu.figures.d2h.bytes);
  EXPECT_DOUBLE_EQ(gpu.figures.key_mean_bits, cpu.figures.key_mean_bits);
  const auto ours = decode_figures_json(gpu.figures), theirs = decode_figures_json(cpu.figures);
  for (const char* name : {"key", "value", "d2h_transfers", "h2d_transfers", "final_resident_bytes",
                           "prefill", "modelled_h2d_seconds", "modelled_stall_seconds"}) {
    EXPECT_EQ(ours[name], theirs[name]) << name;
  }
  EXPECT_TRUE(ours["peak_resident_bytes"].is_null()) << "not counted";
  EXPECT_GT(ours["on_device"]["key"]["codes"], 0);
  EXPECT_FALSE(theirs.contains("on_device"));
  // Time is not played here, but on the CPU, where nothing is hidden.
  EXPECT_EQ(ours["timing"]["steps_exposed"], 0);
  EXPECT_GT(theirs["exposed_share"], 0);
  EXPECT_EQ(theirs["exposed_share"], theirs["quantizing_share"]);
  EXPECT_EQ(theirs["timing"]["steps_exposed"], theirs["timing"]["steps_quantizing"]);
}

INSTANTIATE_TEST_SUITE_P(
    Cuda, Decoder,
    testing::Values(
        on_device("defaults", {}), Setting{"mean_centred", {{"demote_from", "cpu"}}},
        on_device("few_bits", {{"key.n_bits_max", "4"}, {"value.n_bits_max", "3"}}),
        Setting{"paper", {{"variant", "paper"}}},
        on_device("layer", {{"key.level", "layer"}, {"value.level", "layer"}}),
        on_device("token", {{"key.level", "token"}, {"value.level", "token"}}),
        on_device("token_and_layer", {{"key.level", "token"}, {"value.level", "layer"}}),
        on_device("outliers", {{"key.outliers_ratio", "0.1"}}),
        on_device("ema", {{"importance", "ema"}}),
        // A step's fetches hide behind its own computation only.
        on_device("overlap", {{"overlap", "0.7"}, {"t_compute", "3e-5"}}),
        on_device("accumulated", {{"importance", "accumulated"}}),
        on_device("stride", {{"plan_stride", "2"}}),
        on_device("patience", {{"demote_patience", "3"}, {"promote_hysteresis", "1"}}),
        Setting{"fixed", {{"key.use_attentions", "off"}, {"value.use_attentions", "off"}}}),
    [](const auto& setting) { return std::string(setting.param.name); });

// Promotions, of which each path must be walked: that they are there at all.
TEST(CudaDecoder, PromotionsComeFromTheHostAndAreCounted) {
  const DecodeFigures figures = on_gpu(policy_of({}, DType::f16)).figures;
  const std::int64_t promotions = figures.key.promotions + figures.value.promotions;
  EXPECT_GT(promotions, 0);
  EXPECT_EQ(figures.h2d.count, promotions);
  EXPECT_EQ(figures.h2d.bytes, promotions * 16 * 2) << "units of head_dim numbers of 16 bits";
  EXPECT_LT(figures.resident_bytes, figures.full_bytes);
}

// Streams run in random legal order, as calls or, where `graphs`, captured and played.
Decoded out_of_order(const DecodePolicy& policy, bool graphs, std::uint64_t seed) {
  if (!graphs) setenv("QAQ_CUDA_GRAPH", "0", 1);
  simt::defer(true, seed);
  Decoded out = on_gpu(policy);
  simt::defer(false);
  unsetenv("QAQ_CUDA_GRAPH");
  return out;
}

// Layers are quantized beside the model: neither before they were attended to nor after the next
// step began.
TEST(CudaDecoder, GraphsAndTheOrderOfStreamsChangeNoByte) {
  const Settings settings[] = {{{"plan_stride", "2"}},  // two graphs, of which one plans
                               {{"key.level", "token"}, {"value.level", "layer"}}};
  for (const Settings& each : settings) {
    const DecodePolicy policy = policy_of(each, DType::f16);
    setenv("QAQ_CUDA_GRAPH", "0", 1);
    const Decoded plain = on_gpu(policy);
    unsetenv("QAQ_CUDA_GRAPH");
    for (const bool graphs : {false, true}) {
      const Decoded other = out_of_order(policy, graphs, graphs ? 2 : 1);
      EXPECT_EQ(other.logits, plain.logits) << "graphs " << graphs;
      EXPECT_EQ(other.key_bits, plain.key_bits);
      EXPECT_EQ(other.value_bits, plain.value_bits);
      EXPECT_EQ(other.figures.key.promotions, plain.figures.key.promotions);
      EXPECT_EQ(other.figures.value.promotions, plain.figures.value.promotions);
    }
  }
}

// Time is counted in pieces of work. Of three groups the last is what the model waits for, as far
// as it outlasts what follows the last attention: a tenth of all. Of one group it would be a third.
TEST(CudaDecoder, QuantizesBesideTheModel) {
  simt::time_pieces(true);
  double busy = 0, exposed = 0;
  for (const bool graphs : {false, true}) {
    const std::uint64_t seed = graphs ? 2 : 1;
    const DecodeFigures figures = out_of_order(policy_of({}, DType::f16), graphs, seed).figures;
    busy += figures.step_quantizing_seconds;
    exposed += *figures.step_exposed_seconds;
  }
  simt::time_pieces(false);
  EXPECT_GT(exposed, 0) << "not hidden: the end of the last group";
  EXPECT_LT(exposed, busy / 5);
}

// With sixteen bits a unit, what is left is the rounding of codes.
TEST(CudaDecoder, SixteenBitsAreTheModelItself) {
  const EngineLimits limits = cases::decoding_limits(DType::f16);
  const auto engine = make_cuda_backend()->open(tiny_llama(), limits);
  std::vector<float> expected;
  const auto keep = [&] {
    expected.insert(expected.end(), engine->logits().begin(), engine->logits().end());
  };
  engine->run(kPrompt);
  keep();
  for (const std::int32_t id : kNext) {
    engine->run({&id, 1});
    keep();
  }
  Settings settings;
  for (const char* side : {"key.", "value."}) {
    settings.push_back({std::string(side) + "n_bits_min", "16"});
    settings.push_back({std::string(side) + "n_bits_max", "16"});
    settings.push_back({std::string(side) + "range_rule", "midpoint"});
  }
  const Decoded decoded = on_gpu(policy_of(settings, DType::f16));
  Deviation d;
  d.add<float, float>(decoded.logits, expected);
  EXPECT_LE(d.max_relative(), 1e-2);
  for (const std::uint8_t bits : decoded.key_bits) EXPECT_EQ(bits, 16);
}

TEST(CudaDecoder, SaysByNameWhatIsPlannedOnTheCpuAlone) {
  const std::pair<Settings, const char*> refused[] = {
      {{{"key.level", "no-quantization"}}, "key.level=no-quantization"},
      {{{"value.use_attentions", "off"}, {"value.method", "normal"}}, "value.method=normal"},
      {{{"value.outlier_rule", "nsigma"}}, "value.outlier_rule=nsigma"},
      {{{"key.q_norm", "auto"}, {"variant", "paper"}}, "key.q_norm=auto"},
      {{{"value.sensitivity", "ema"}}, "value.sensitivity=ema"},
      {{{"key.window_rule", "adaptive"}}, "key.window_rule=adaptive"},
      {{{"head_stride", "2"}}, "head_stride"},
      {{{"block_size", "4"}}, "block_size"},
      {{{"evict_factor", "0.1"}}, "evict_factor"},
      {{{"sparse_top_k", "8"}}, "sparse_top_k"},
      {{{"requantize_history", "on"}}, "requantize_history"},
      {{{"fetch_granularity", "layer"}}, "fetch_granularity=layer"}};
  for (const auto& [settings, words] : refused) {
    try {
      on_gpu(policy_of(settings));
      ADD_FAILURE() << words << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }
}

TEST(CudaDecoder, RefusesRivalsByName) {
  DecodePolicy policy;
  for (const char* name : {"full", "q8_0", "kivi"}) {
    policy.policy = make_policy(name, {});
    const std::string why = refusal([&] { on_gpu(policy); }, ErrorKind::usage);
    EXPECT_NE(why.find(std::string(name) + " cannot quantize or evict on cuda"), std::string::npos)
        << why;
    EXPECT_NE(why.find("--device cpu"), std::string::npos) << why;
  }
}

TEST(CudaDecoder, AnyAllocationMayFail) {
  const auto model = tiny_llama();
  const int n_allocations = fail_each_allocation([&] {
    const auto decoder =
        make_cuda_decoder(model, cases::decoding_limits(DType::f16), policy_of({}, DType::f16));
    decoder->prefill(kPrompt, {});
    decoder->decode(kNext[0], {});
  });
  EXPECT_GE(n_allocations, 10) << "two arenas, pinned buffers, graphs";
}

// Once it is packed, the prompt's unquantized cache goes back to the GPU.
TEST(CudaDecoder, ThePromptsCacheGoesWhenItIsPacked) {
  const auto decoder = make_cuda_decoder(tiny_llama(), cases::decoding_limits(DType::f16),
                                         policy_of({}, DType::f16));
  const std::size_t with_prompt = simt::live_device_bytes();
  decoder->prefill(kPrompt, {});
  EXPECT_LT(simt::live_device_bytes(), with_prompt);
}

}  // namespace
}  // namespace qaq::test
