// Replays on the GPU backend, kernels on the host's SIMT shim: bits, outliers and values are the
// CPU's to the bit, errors of scores and outputs within what rounding explains.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/replay/replayer.h"
#include "core/replay/sweep.h"
#include "gpu/backend.h"
#include "gpu/replay/replay_sizes.h"
#include "tests/gpu/failing_allocations.h"
#include "tests/gpu/simt/simt.h"
#include "tests/support/quantized_cache.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

// The thread sanitizer does not see what orders core's own threads.
class CudaReplay : public testing::Test {
 protected:
  CudaReplay() { set_thread_count(1); }
  ~CudaReplay() override { set_thread_count(0); }
};

SharedReplay gpu_replay(const CaptureView& capture, const ReplayOptions& options) {
  return Replayer(capture, make_cuda_replay()).full(options);
}

template <class T, std::size_t Rank>
bool same(const NdArray<T, Rank>& a, const NdArray<T, Rank>& b) {
  return a.shape() == b.shape() && std::equal(reinterpret_cast<const char*>(a.data()),
                                              reinterpret_cast<const char*>(a.data() + a.size()),
                                              reinterpret_cast<const char*>(b.data()));
}

// Of method normal the CPU adds up squares in another order.
void expect_same_cache(const CacheReplay& got, const CacheReplay& want, bool normal) {
  EXPECT_TRUE(same(got.bits, want.bits));
  EXPECT_TRUE(same(got.outliers, want.outliers));
  EXPECT_TRUE(got.packed == want.packed);
  EXPECT_EQ(got.n_outliers, want.n_outliers);
  EXPECT_EQ(got.average_n_bits, want.average_n_bits);
  EXPECT_EQ(got.size_per_token_bits, want.size_per_token_bits);
  EXPECT_NEAR(got.quantization_error, want.quantization_error,
              normal ? 1e-12 * want.quantization_error : 0);
  if (normal) return;
  EXPECT_TRUE(same(got.error, want.error));
}

// Rounding moves a score, or a channel, whatever quantizing does to it: so the roots of two sums of
// squared changes agree to 2e-6 of them and `noise` besides.
void expect_near_rows(const NdArray<float, 3>& got, const NdArray<float, 3>& want, double noise) {
  ASSERT_EQ(got.shape(), want.shape());
  double worst = 0;
  for (std::int64_t i = 0; i < want.size(); ++i) {
    const double a = got.data()[i], b = want.data()[i];
    ASSERT_EQ(std::isnan(a), std::isnan(b)) << i;
    if (std::isnan(b)) continue;
    worst = std::max(worst, (std::abs(std::sqrt(a) - std::sqrt(b)) - 2e-6 * std::sqrt(b)));
  }
  EXPECT_LE(worst, noise);
}

void expect_near(const std::optional<double>& got, const std::optional<double>& want,
                 double noise) {
  ASSERT_EQ(got.has_value(), want.has_value());
  if (!want) return;
  EXPECT_NEAR(*got, *want, 2e-6 * *want + noise * std::sqrt(*want) + noise * noise);
}

// Scores are at most 1; rounding of their logits, which are up to some dozens, moves them by 1e-6.
constexpr double kScoreNoise = 2e-6;
constexpr double kOutputNoise = 2e-6;

void expect_near(const ReplayResult& got, const ReplayResult& want, const QaqParams& params) {
  expect_same_cache(got.key, want.key, params.key.method == Method::normal);
  expect_same_cache(got.value, want.value, params.value.method == Method::normal);
  EXPECT_EQ(got.prefix, want.prefix);
  EXPECT_EQ(got.in_sample, want.in_sample);
  EXPECT_EQ(got.ratio_packed, want.ratio_packed);
  expect_near_rows(got.attention_error, want.attention_error, kScoreNoise);
  expect_near_rows(got.output_error, want.output_error, kOutputNoise);
  expect_near(got.mean_attention_error, want.mean_attention_error, kScoreNoise);
  expect_near(got.mean_output_error, want.mean_output_error, kOutputNoise);
}

void expect_as_on_cpu(const CaptureView& capture, const ReplayOptions& options) {
  SCOPED_TRACE(command_line_text(list_parameters(options.params), list_parameters(QaqParams{})));
  expect_near(*gpu_replay(capture, options), *replay(capture, options), options.params);
}

QaqParams with(std::initializer_list<std::pair<const char*, ParameterValue>> assignments) {
  QaqParams params;
  for (const auto& [name, value] : assignments) set_parameter(params, name, value);
  return params;
}

ParameterValue word(const char* text) { return std::string(text); }

// Every level, method, range rule, variant and kind of scale; a third of them where that is slow.
std::vector<QaqParams> all_kinds() {
  std::vector<QaqParams> out;
  for (const char* level : {"token", "layer", "head"}) {
    for (const double ratio : {0.0, 0.05}) {
      out.push_back(with(
          {{"level", word(level)}, {"outliers_ratio", ratio}, {"target_quantization_error", 0.3}}));
    }
  }
  for (const char* rule : {"mean_centred", "midpoint", "minmax"}) {
    out.push_back(with({{"range_rule", word(rule)},
                        {"store_scale", word("f16")},
                        {"use_attentions", false},
                        {"n_bits_uniform", std::int64_t{3}}}));
    out.push_back(with({{"range_rule", word(rule)}, {"symmetric", true}}));
  }
  out.push_back(with({{"use_attentions", false}, {"method", word("normal")}}));
  out.push_back(with({{"use_attentions", false},
                      {"method", word("normal")},
                      {"level", word("layer")},
                      {"n_bits_uniform", std::int64_t{5}}}));
  out.push_back(with({{"key.level", word("no-quantization")}}));
  out.push_back(with({{"value.level", word("no-quantization")}}));
  out.push_back(with({{"level", word("no-quantization")}}));
  out.push_back(with({{"variant", word("paper")}}));
  out.push_back(with({{"variant", word("bound")}, {"target_quantization_error", 0.05}}));
  out.push_back(with({{"variant", word("bound")}, {"bits_rule", word("measured")}}));
  if (!simt::thread_sanitizer()) return out;
  std::vector<QaqParams> some;
  for (std::size_t i = 0; i < out.size(); i += 3) some.push_back(out[i]);
  return some;
}

TEST_F(CudaReplay, EveryKindOfPlanIsAsOnTheCpu) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 35});
  for (const QaqParams& params : all_kinds()) expect_as_on_cpu(capture, {params, 30});
}

TEST_F(CudaReplay, WithoutRowsBehindThePrefixAllAreReplayed) {
  const MemoryCapture capture =
      synthetic_capture({.n_layers = 3, .n_heads = 3, .n_kv_heads = 1, .n_tokens = 70});
  expect_as_on_cpu(capture, {});
  expect_as_on_cpu(capture, {{}, 69});
}

TEST_F(CudaReplay, HeadsOfAnyWidth) {
  for (const std::int64_t head_dim : {1, 6, 80, 160}) {
    const SyntheticShape shape{.n_layers = 1, .n_tokens = 9, .head_dim = head_dim};
    expect_as_on_cpu(synthetic_capture(shape), {{}, 8});
  }
}

TEST_F(CudaReplay, OneTokenIsEnough) {
  expect_as_on_cpu(synthetic_capture({.n_layers = 1, .n_tokens = 1}), {});
}

TEST_F(CudaReplay, AWindowOfRows) {
  expect_as_on_cpu(synthetic_capture({.n_tokens = 40}, 1, 12), {{}, 37});
  expect_as_on_cpu(synthetic_capture({.n_tokens = 40}, 1, 12), {});
}

TEST_F(CudaReplay, LayersThatSeeAWindowOfKeys) {
  const SyntheticShape shape{.n_layers = 3, .n_tokens = 80};
  CaptureInfo info = synthetic_info(shape);
  info.profile = AttentionProfile::derive;
  info.attention_windows = {0, 7, 64};
  const MemoryCapture capture(std::move(info), arrays_without_attention(shape, 3));
  expect_as_on_cpu(capture, {{}, 70});
}

// The kernels know no slopes; bits alone need no scores from them.
TEST_F(CudaReplay, ScoresWithAlibiAreLeftToTheCpu) {
  const SyntheticShape shape{.n_tokens = 12};
  CaptureInfo info = synthetic_info(shape);
  info.profile = AttentionProfile::derive;
  info.position_embedding = PositionEmbedding::alibi;
  info.alibi_slopes = alibi_slopes(info.shape.n_heads);
  const MemoryCapture capture(std::move(info), arrays_without_attention(shape, 3));
  const std::string line = refusal([&] { gpu_replay(capture, {}); }, ErrorKind::usage);
  EXPECT_NE(line.find("scores with ALiBi cannot be replayed on a GPU"), std::string::npos) << line;
  EXPECT_NE(line.find("--device cpu"), std::string::npos) << line;
}

// Rows that were captured beside queries and keys of 16 bits do not follow from them.
TEST_F(CudaReplay, SixteenBitCapturesAreComparedWithTheirOwnRows) {
  const SyntheticShape shape{.n_tokens = 33};
  for (const DType dtype : {DType::f16, DType::bf16}) {
    for (const std::int64_t window : {0, 9}) {
      CaptureInfo info = synthetic_info(shape, window);
      info.dtype = dtype;
      const MemoryCapture capture(std::move(info), synthetic_arrays(shape, 1, window));
      expect_as_on_cpu(capture, {{}, 30});
    }
  }
}

TEST_F(CudaReplay, WhatIsNotCapturedIsNotMeasured) {
  const SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  info.profile = AttentionProfile::none;
  info.has_queries = false;
  info.query_token.clear();
  MemoryCapture::Arrays arrays = arrays_without_attention(shape, 1);
  arrays.query.clear();
  const MemoryCapture capture(std::move(info), std::move(arrays));
  expect_as_on_cpu(capture, {with({{"use_attentions", false}}), 20});
  EXPECT_FALSE(gpu_replay(capture, {with({{"use_attentions", false}})})->mean_attention_error);
}

TEST_F(CudaReplay, BitsAloneCompareNoRows) {
  const MemoryCapture capture = synthetic_capture();
  const auto result = Replayer(capture, make_cuda_replay()).bits({});
  EXPECT_FALSE(result->mean_attention_error);
  EXPECT_TRUE(same(result->key.error, Replayer(capture).bits({})->key.error));
}

void expect_same_means(const ReplayResult& a, const ReplayResult& b) {
  EXPECT_EQ(a.key.quantization_error, b.key.quantization_error);
  EXPECT_EQ(a.value.quantization_error, b.value.quantization_error);
  EXPECT_EQ(a.mean_attention_error, b.mean_attention_error);
  EXPECT_EQ(a.mean_output_error, b.mean_output_error);
}

void give_all_memory() { simt::set_device_memory(std::size_t{80} << 30); }

void give_memory_for(const ReplayScope& scope, const CaptureInfo& info, std::int64_t n_slots,
                     std::int64_t n_plans) {
  const cuda::ReplaySizes sizes(info, scope);
  const std::int64_t bytes =
      n_slots * layer_bytes(sizes) + n_plans * plan_bytes(sizes) + table_bytes(sizes);
  simt::set_device_memory(static_cast<std::size_t>(bytes + (std::int64_t{512} << 20)));
}

// Streams in any legal order, all layers in memory or two.
TEST_F(CudaReplay, CompanyMemoryAndOrderChangeNoByte) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 3, .n_tokens = 18});
  const std::vector<QaqParams> settings{
      with({{"level", word("token")}, {"outliers_ratio", 0.05}}),
      with({{"variant", word("paper")}, {"store_scale", word("f16")}}),
      with({{"use_attentions", false}, {"method", word("normal")}}),
      with({{"key.level", word("no-quantization")}}),
      with({{"level", word("token")}, {"outliers_ratio", 0.05}, {"n_bits_max", std::int64_t{3}}})};
  std::vector<SharedReplay> alone;
  for (const QaqParams& params : settings) alone.push_back(gpu_replay(capture, {params, 15}));
  const ReplayScope scope{.prefix = 15, .n_rows = 3, .keeps_layers = true};
  // All layers and plans at once; three layers and two plans; two and one.
  for (const std::int64_t n : {16, 2, 1}) {
    give_memory_for(scope, capture.info(), std::min<std::int64_t>(3, n + 1), n);
    for (std::uint64_t seed = 1; seed <= (simt::thread_sanitizer() ? 1 : 3); ++seed) {
      simt::defer(true, seed);
      Sweeper sweeper(capture, {.prefix = 15}, {}, make_cuda_replay());
      const auto results = sweeper.run(settings);
      for (std::size_t i = 0; i < settings.size(); ++i) expect_same_means(*results[i], *alone[i]);
      // Once more, where layers are there.
      const auto again = sweeper.run(std::span(settings).first(2));
      for (std::size_t i = 0; i < 2; ++i) expect_same_means(*again[i], *alone[i]);
      simt::defer(false);
    }
  }
  give_all_memory();
}

TEST_F(CudaReplay, SweepsAreAsOnTheCpu) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 40});
  const std::vector<QaqParams> settings = all_kinds();
  const SweepOptions options{.prefix = 30, .n_rows = 5};
  const auto want = Sweeper(capture, options).run(settings);
  const auto got = Sweeper(capture, options, {}, make_cuda_replay()).run(settings);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    expect_near(*got[i], *want[i], settings[i]);
    EXPECT_EQ(got[i]->ratio_paper, want[i]->ratio_paper);
  }
}

TEST_F(CudaReplay, AStopIsObeyedAndLeavesTheKernelUsable) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 24});
  Sweeper sweeper(capture, {.prefix = 20}, {}, make_cuda_replay());
  const std::vector<QaqParams> settings{QaqParams{}};
  const auto want = sweeper.run(settings);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(sweeper.run(settings, Work(nullptr, stop.get_token())), Error);
  expect_same_means(*sweeper.run(settings)[0], *want[0]);
}

// A capture that counts reads of queries, and fails at one of them.
class WatchedCapture : public CaptureView {
 public:
  explicit WatchedCapture(const CaptureView& capture) : capture_(capture) {}
  const CaptureInfo& info() const override { return capture_.info(); }
  SharedArray<float, 3> key(std::int64_t layer) const override { return capture_.key(layer); }
  SharedArray<float, 3> value(std::int64_t layer) const override { return capture_.value(layer); }
  SharedArray<float, 3> query(std::int64_t layer) const override {
    if (++n_reads == fails_at) throw Error(ErrorKind::input, {.what = "is broken"});
    return capture_.query(layer);
  }
  SharedArray<float, 3> attention(std::int64_t layer, std::int64_t first,
                                  std::int64_t n_rows) const override {
    return capture_.attention(layer, first, n_rows);
  }
  mutable int n_reads = 0;
  int fails_at = 0;

 private:
  const CaptureView& capture_;
};

TEST_F(CudaReplay, LayersThatFitAreReadOnce) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 3, .n_tokens = 12});
  const WatchedCapture watched(capture);
  Sweeper sweeper(watched, {.prefix = 10}, {}, make_cuda_replay());
  const std::vector<QaqParams> settings{QaqParams{}};
  sweeper.run(settings);
  sweeper.run(settings);
  EXPECT_EQ(watched.n_reads, 3);
}

TEST_F(CudaReplay, ACaptureThatCannotBeReadOnceLeavesTheKernelUsable) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 3, .n_tokens = 12});
  const std::vector<QaqParams> settings{QaqParams{}, with({{"variant", word("paper")}})};
  const auto want = Sweeper(capture, {.prefix = 10}, {}, make_cuda_replay()).run(settings);
  give_memory_for({.prefix = 10, .n_rows = 2, .keeps_layers = true}, capture.info(), 2, 1);
  for (const int fails_at : {2, 3}) {  // while the layer before is measured
    simt::defer(true, static_cast<std::uint64_t>(fails_at));
    WatchedCapture watched(capture);
    watched.fails_at = fails_at;
    Sweeper sweeper(watched, {.prefix = 10}, {}, make_cuda_replay());
    EXPECT_THROW(sweeper.run(settings), Error);
    const auto got = sweeper.run(settings);
    for (std::size_t i = 0; i < 2; ++i) expect_same_means(*got[i], *want[i]);
    simt::defer(false);
  }
  give_all_memory();
}

TEST_F(CudaReplay, AnyAllocationMayFail) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 12});
  const QaqParams params = with({{"use_attentions", false}, {"method", word("normal")}});
  EXPECT_GE(fail_each_allocation([&] {
              gpu_replay(capture, {params, 10});
            }),
            4)
      << "one arena and some pinned buffers";
}

TEST_F(CudaReplay, TooLittleMemoryIsSaidBeforeAnythingIsTaken) {
  simt::set_device_memory(std::size_t{512} << 20);
  const auto before = simt::live_allocations();
  try {
    gpu_replay(synthetic_capture(), {});
    FAIL() << "was replayed";
  } catch (const Error& error) {
    const std::string line = error.what();
    EXPECT_NE(line.find("GPU memory: a replay of 24 tokens and 24 rows needs "), std::string::npos)
        << line;
    EXPECT_NE(line.find("--device cpu"), std::string::npos) << line;
  }
  EXPECT_EQ(simt::live_allocations(), before);
  give_all_memory();
}

TEST_F(CudaReplay, WhatTheCpuAloneCarriesOutIsRefusedByName) {
  const std::tuple<const char*, ParameterValue, const char*> refused[] = {
      {"key.outlier_rule", word("nsigma"),
       "key.outlier_rule=nsigma: is carried out on the CPU alone; set it to quantile, or run with "
       "--device cpu"},
      {"value.outlier_rule", word("nsigma"),
       "value.outlier_rule=nsigma: is carried out on the CPU alone; set it to quantile, or run "
       "with --device cpu"},
      {"sparse_top_k", std::int64_t{8},
       "sparse_top_k: is carried out on the CPU alone; set it to 0, or run with --device cpu"}};
  for (const auto& [name, value, line] : refused) {
    QaqParams params;
    set_parameter(params, name, value);
    try {
      gpu_replay(synthetic_capture(), {params});
      ADD_FAILURE() << name << " was replayed";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_EQ(std::string(error.what()), cat("--device cuda, ", line));
    }
  }
}

TEST_F(CudaReplay, NoGpuIsRefused) {
  simt::set_device(simt::DeviceState::no_driver());
  EXPECT_THROW(make_cuda_replay(), Error);
  simt::set_device({});
}

// A sweep of 7B's shape (section 4 of gpu.md) stays on an 80 GB card, one of 13B at 4096 tokens and
// all of their rows does not.
TEST_F(CudaReplay, RefusesByNameWhatItDoesNotCarryOut) {
  const MemoryCapture capture = synthetic_capture();
  QaqParams strides, evicts;
  strides.plan_stride = 7;
  evicts.eviction = {.factor = 1000, .patience = 1, .n_sink = 1, .n_recent = 1};
  for (const QaqParams& params : {strides, evicts}) {
    const std::string refused = refusal(
        [&] {
          gpu_replay(capture, {params, 20});
        },
        ErrorKind::usage);
    EXPECT_NE(refused.find("evict_factor=0"), std::string::npos) << refused;
    EXPECT_NE(refused.find("plan_stride=1"), std::string::npos) << refused;
  }
}

// What is planned on the CPU alone is carried out here all the same.
TEST_F(CudaReplay, CarriesOutTheOtherExtensions) {
  const MemoryCapture capture = synthetic_capture();
  QaqParams params;
  params.key.window_rule = WindowRule::adaptive;
  params.value.sensitivity = Sensitivity::ema;
  params.head_stride = 2;
  params.block_size = 3;
  const SharedReplay got = gpu_replay(capture, {params, 20}),
                     want = Replayer(capture).full({params, 20});
  expect_same_cache(got->key, want->key, false);
  expect_same_cache(got->value, want->value, false);
}

TEST(ReplayMemory, LayersStayWhereTheyFit) {
  CaptureInfo info;
  info.shape = {.n_layers = 32, .n_heads = 32, .n_kv_heads = 32, .head_dim = 128};
  info.layers.resize(32);
  info.n_tokens = 1024;
  const std::int64_t free = std::int64_t{79} << 30;
  const ReplayScope sweep{.prefix = 1024, .n_rows = 32, .keeps_layers = true};
  const cuda::ReplayMemory memory = divide_memory(cuda::ReplaySizes(info, sweep), free);
  EXPECT_EQ(memory.n_slots, 32);
  EXPECT_EQ(memory.n_plans, 16);
  EXPECT_LT(memory.bytes, std::int64_t{2} << 30);

  info.shape = {.n_layers = 40, .n_heads = 40, .n_kv_heads = 40, .head_dim = 128};
  info.layers.resize(40);
  info.n_tokens = 4096;
  info.dtype = DType::f16;  // with its own scores
  const ReplayScope all{.prefix = 4096, .n_rows = 4096, .keeps_layers = true};
  EXPECT_EQ(divide_memory(cuda::ReplaySizes(info, all), free).n_slots, 2);
}

// Section 4.4 of the mathematics: SmolLM2's layers 0, 1, 14, 29, prefix 64, rows 64 to 94.
class CudaReplayOracle : public CudaReplay {
 protected:
  static double rms_over(const NdArray<float, 3>& errors, double e) {
    double sum = 0;
    int n = 0;
    for (const float x : errors.span()) {
      if (std::isnan(x)) continue;
      sum += x;
      ++n;
    }
    EXPECT_EQ(n, 36 * 31);
    return std::sqrt(sum / n) / e;
  }
  static ReplayOptions options(double e) {
    return {with({{"outliers_ratio", 0.0},
                  {"n_bits_min", std::int64_t{0}},
                  {"n_bits_max", std::int64_t{16}},
                  {"target_quantization_error", e}}),
            64};
  }
  std::shared_ptr<const MemoryCapture> capture_ =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
};

TEST_F(CudaReplayOracle, KeysMissTheirPromiseSixteenfold) {
  if (simt::thread_sanitizer()) GTEST_SKIP() << "the same code on more numbers";
  ReplayOptions o = options(0.01);
  o.params.value.level = Level::no_quantization;
  EXPECT_NEAR(rms_over(gpu_replay(*capture_, o)->attention_error, 0.01), 16.0, 0.1);
  expect_as_on_cpu(*capture_, o);
}

TEST_F(CudaReplayOracle, ValuesMissTheirPromiseSixfold) {
  if (simt::thread_sanitizer()) GTEST_SKIP() << "the same code on more numbers";
  ReplayOptions o = options(0.003);
  o.params.key.level = Level::no_quantization;
  EXPECT_NEAR(rms_over(gpu_replay(*capture_, o)->output_error, 0.003), 6.0, 0.05);
  expect_as_on_cpu(*capture_, o);
}

TEST_F(CudaReplayOracle, AnExactCacheChangesNothingBeyondRounding) {
  if (simt::thread_sanitizer()) GTEST_SKIP() << "the same code on more numbers";
  const auto result = gpu_replay(*capture_, {with({{"level", word("no-quantization")}}), 64});
  EXPECT_LE(*result->mean_attention_error, 1e-12);
  EXPECT_LE(*result->mean_output_error, 1e-10);
}

// The CPU's are held against the reference replay in tests/core/replay.
TEST_F(CudaReplayOracle, KeyAndValueErrorsAreTheCpus) {
  if (simt::thread_sanitizer()) GTEST_SKIP() << "the same code on more numbers";
  const MemoryCapture capture =
      narrative_cache(ReferenceFile(test_data_path("oracle/qaq_reference_narrative.h5")));
  const nlohmann::json oracle = test_data_json("oracle/qaq_replay_narrative.json");
  Replayer gpu(capture, make_cuda_replay()), cpu(capture);
  for (const nlohmann::json& reference : oracle.at("cases")) {
    SCOPED_TRACE(reference.at("title").get<std::string>());
    ReplayOptions options{reference_params(reference), oracle.at("prefix_length")};
    // This capture holds no attention, which bits of values may follow from.
    if (options.params.value.use_attentions) options.params.value.level = Level::no_quantization;
    const auto got = gpu.bits(options), want = cpu.bits(options);
    expect_same_cache(got->key, want->key, options.params.key.method == Method::normal);
    expect_same_cache(got->value, want->value, options.params.value.method == Method::normal);
  }
}

}  // namespace
}  // namespace qaq::test
