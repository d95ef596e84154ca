// Models on the GPU backend, kernels on the host's SIMT shim, prefilled and decoded: in float32
// within the CPU's bounds (tests/data/oracle/README.md), in 16 bits near the CPU on the same
// rounded weights.

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/tensor/logits_summary.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu/failing_allocations.h"
#include "tests/gpu/simt/simt.h"
#include "tests/support/deviation.h"
#include "tests/support/half_numbers.h"
#include "tests/support/reference_file.h"
#include "tests/support/refusal.h"
#include "tests/support/rounded_model.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_models.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kDecoded = 4;

void expect_near(std::span<const float> ours, const ReferenceFile& reference,
                 const std::string& name) {
  if (!reference.has(name)) return;
  Deviation d;
  const auto numbers = reference.floats(name);
  d.add<float, float>(ours, numbers);
  EXPECT_LE(name == "attention" ? d.max_abs : d.max_relative(), 1e-5) << name;
  EXPECT_GT(d.max_reference, 0.0) << name;
}

std::string plain(std::string name) {
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

class TinyModels : public testing::TestWithParam<TinyModel> {};

TEST_P(TinyModels, AreWithinTheOraclesBounds) {
  const ReferenceFile reference(
      test_data_path(std::string("oracle/") + GetParam().reference + ".h5"));
  const auto wide = reference.integers("token_ids");
  const std::vector<std::int32_t> ids(wide.begin(), wide.end());
  const auto n = std::ssize(ids);
  ASSERT_GT(n, kDecoded);
  const auto model = open_model(test_data_path(GetParam().model));
  TapRecorder taps(model->spec().shape, n);
  const auto engine = make_cuda_backend()->open(model, {n, n});
  engine->run(std::span(ids).first(static_cast<std::size_t>(n - kDecoded)), &taps);
  for (std::int64_t i = n - kDecoded; i < n; ++i) {
    engine->run(std::span(ids).subspan(static_cast<std::size_t>(i), 1), &taps);
  }
  expect_near(taps.query.span(), reference, "query");
  expect_near(taps.key.span(), reference, "key");
  expect_near(taps.value.span(), reference, "value");
  expect_near(taps.attention.span(), reference, "attention");
  expect_near(taps.logits.span(), reference, "logits");
}

INSTANTIATE_TEST_SUITE_P(Cuda, TinyModels, testing::ValuesIn(kTinyModels),
                         [](const auto& tiny) { return plain(tiny.param.model); });

struct ShortCase {
  TinyModel tiny;
  DType dtype;
};

class ShortNumbers : public testing::TestWithParam<ShortCase> {};

// bfloat16 has three bits less: eight times the bounds, and for KL, which is of second order, 64.
TEST_P(ShortNumbers, AreNearTheCpuOnTheSameWeights) {
  const auto [tiny, dtype] = GetParam();
  const ReferenceFile reference(test_data_path(std::string("oracle/") + tiny.reference + ".h5"));
  const auto wide = reference.integers("token_ids");
  const std::vector<std::int32_t> ids(wide.begin(), wide.end());
  const auto n = std::ssize(ids);
  const auto model = std::make_shared<RoundedModel>(open_model(test_data_path(tiny.model)), dtype);
  const ModelShape& s = model->spec().shape;
  TapRecorder taps(s, n), expected(s, n);
  const EngineLimits limits{.max_tokens = n, .max_batch = n, .dtype = dtype};
  make_cpu_backend()->open(model, limits)->run(ids, &expected);
  const auto engine = make_cuda_backend()->open(model, limits);
  engine->run(std::span(ids).first(static_cast<std::size_t>(n - kDecoded)), &taps);
  for (std::int64_t i = n - kDecoded; i < n; ++i) {
    engine->run(std::span(ids).subspan(static_cast<std::size_t>(i), 1), &taps);
  }
  const double factor = dtype == DType::f16 ? 1 : 8;
  const auto compare = [&](const char* name, std::span<const float> ours,
                           std::span<const float> theirs, const HalfBound& bound) {
    Deviation d;
    d.add(ours, theirs);
    EXPECT_LE(d.max_relative(), factor * bound.most) << name;
    EXPECT_LE(d.rms_relative(), factor * bound.rms) << name;
  };
  compare("query", taps.query.span(), expected.query.span(), kHalfActivations);
  compare("key", taps.key.span(), expected.key.span(), kHalfActivations);
  compare("value", taps.value.span(), expected.value.span(), kHalfActivations);
  compare("attention", taps.attention.span(), expected.attention.span(), kHalfAttention);
  compare("logits", taps.logits.span(), expected.logits.span(), kHalfLogits);
  for (std::int64_t row = 0; row < n; ++row) {
    const auto ours = taps.logits.sub(row).span(), theirs = expected.logits.sub(row).span();
    EXPECT_LE(divergence(ours, theirs), factor * factor * kTinyDivergence);
    EXPECT_TRUE(same_choice(ours, theirs)) << "row " << row;
  }
  // What the cache holds is what the file stores: 16 bits.
  for (const float x : taps.key.span()) ASSERT_EQ(x, rounded(x, dtype));
  for (const float x : taps.query.span()) ASSERT_EQ(x, rounded(x, dtype));
}

// Each model once, whatever its files, and one of them in bfloat16.
std::vector<ShortCase> short_cases() {
  std::vector<ShortCase> cases{{kTinyModels[0], DType::bf16}};
  for (const TinyModel& tiny : kTinyModels) {
    const auto same = [&](const ShortCase& other) {
      return other.dtype == DType::f16 && std::string(other.tiny.reference) == tiny.reference;
    };
    if (std::ranges::none_of(cases, same)) cases.push_back({tiny, DType::f16});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Cuda, ShortNumbers, testing::ValuesIn(short_cases()),
                         [](const auto& each) {
                           return plain(std::string(each.param.tiny.model) + "_" +
                                        std::string(name_of(each.param.dtype)));
                         });

std::shared_ptr<const ModelFile> tiny_llama() {
  return open_model(test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
}

// By every way in, before anything is taken.
TEST(CudaEngine, FamiliesForTheCpuAreRefusedByName) {
  const std::int64_t before = simt::live_allocations();
  for (const TinyModel& tiny : kCpuTinyModels) {
    const auto model = open_model(test_data_path(tiny.model));
    const std::string words = "models of the " + model->spec().architecture + " family";
    const EngineLimits limits{.max_tokens = 8, .max_batch = 8};
    for (const std::string& line :
         {refusal([&] { make_cuda_backend()->plan(*model, limits); }, ErrorKind::usage),
          refusal([&] { make_cuda_backend()->open(model, limits); }, ErrorKind::usage),
          refusal([&] { make_cuda_decoder(model, limits, {}); }, ErrorKind::usage)}) {
      EXPECT_NE(line.find(words), std::string::npos) << line;
      EXPECT_NE(line.find("--device cpu"), std::string::npos) << line;
    }
  }
  EXPECT_EQ(simt::live_allocations(), before);
}

const std::vector<std::int32_t> kIds{5, 9, 200, 17, 42, 3, 77, 120};

TEST(CudaEngine, TapsChangeNoNumberAndComeInOrder) {
  const auto model = tiny_llama();
  const auto n = std::ssize(kIds);
  const auto plain = make_cuda_backend()->open(model, {n, n});
  const auto tapped = make_cuda_backend()->open(model, {n, n});
  TapRecorder taps(model->spec().shape, n);
  plain->run(kIds);
  tapped->run(kIds, &taps);
  EXPECT_TRUE(std::ranges::equal(plain->logits(), tapped->logits()));
  EXPECT_TRUE(std::ranges::equal(taps.logits.sub(n - 1).span(), tapped->logits()));
  const auto place = [](const TapBlock& b) {
    return std::tuple(b.layer, b.what, b.first_head, b.first_row);
  };
  EXPECT_TRUE(std::ranges::is_sorted(taps.order, {}, place));
}

TEST(CudaEngine, ARowDoesNotDependOnWhatElseIsInTheBatch) {
  const auto model = tiny_llama();
  const auto n = std::ssize(kIds);
  TapRecorder whole(model->spec().shape, n), stepped(model->spec().shape, n);
  make_cuda_backend()->open(model, {n, n})->run(kIds, &whole);
  const auto engine = make_cuda_backend()->open(model, {n, n});
  for (const std::int32_t id : kIds) engine->run({&id, 1}, &stepped);
  EXPECT_TRUE(std::ranges::equal(whole.logits.span(), stepped.logits.span()));
  EXPECT_TRUE(std::ranges::equal(whole.key.span(), stepped.key.span()));
  EXPECT_TRUE(std::ranges::equal(whole.attention.span(), stepped.attention.span()));
}

/// Keeps the summaries of logits, each row as it comes.
class SummaryRecorder : public TapSink {
 public:
  explicit SummaryRecorder(std::int64_t k) : k_(k) {}
  bool wants(TapKind what, std::int64_t, std::int64_t, std::int64_t) const override {
    return what == TapKind::logits || what == TapKind::logits_top;
  }
  std::int64_t top_logits() const override { return k_; }
  void put(const TapBlock& block) override {
    ASSERT_EQ(block.what, TapKind::logits_top);
    ASSERT_EQ(block.n_cols, 3 + 2 * k_);
    rows.insert(rows.end(), block.floats().begin(), block.floats().end());
  }
  std::vector<float> rows;

 private:
  std::int64_t k_;
};

// A sink that keeps a summary is sent one: core's ids and logits, and its logsumexp to 1e-6.
TEST(CudaEngine, RowsOfLogitsMayBeSummarizedOnTheGpu) {
  constexpr std::int64_t kTop = 5;
  const auto model = tiny_llama();
  const auto n = std::ssize(kIds);
  TapRecorder whole(model->spec().shape, n);
  SummaryRecorder summaries(kTop);
  make_cuda_backend()->open(model, {n, n})->run(kIds, &whole);
  make_cuda_backend()->open(model, {n, n})->run(kIds, &summaries);
  ASSERT_EQ(std::ssize(summaries.rows), n * (3 + 2 * kTop));
  for (std::int64_t row = 0; row < n; ++row) {
    const LogitsSummary want = summarize_logits(whole.logits.sub(row).span(), kTop);
    const float* got = summaries.rows.data() + row * (3 + 2 * kTop);
    EXPECT_EQ(std::bit_cast<std::int32_t>(got[0]), want.argmax);
    EXPECT_EQ(got[1], want.argmax_logit);
    EXPECT_NEAR(got[2], want.logsumexp, 1e-6 * std::abs(want.logsumexp));
    for (std::int64_t i = 0; i < kTop; ++i) {
      const auto at = static_cast<std::size_t>(i);
      EXPECT_EQ(std::bit_cast<std::int32_t>(got[3 + i]), want.topk_ids[at]);
      EXPECT_EQ(got[3 + kTop + i], want.topk_logits[at]);
    }
  }
}

/// A cache of so many tokens, the same on every run.
Engine::LayerCache made_up_cache(const ModelShape& s, std::int64_t n, std::int64_t layer) {
  const auto made_up = [&](std::int64_t salt) {
    auto numbers = std::make_shared<NdArray<float, 3>>(Shape<3>{s.n_kv_heads, n, s.head_dim});
    for (std::int64_t i = 0; i < numbers->size(); ++i) {
      numbers->data()[i] = static_cast<float>((i * 37 + salt * 11 + layer) % 101) / 50.0f - 1.0f;
    }
    return numbers;
  };
  return {made_up(1), made_up(2)};
}

// Logits of three tokens behind 510, so that a graph is captured, played, and another one captured.
std::vector<float> decoded_logits(bool graphs, bool tapped, std::uint64_t seed) {
  setenv("QAQ_CUDA_GRAPH", graphs ? "1" : "0", 1);
  simt::defer(seed > 0, seed);
  constexpr std::int64_t kGiven = 510, kTokens = 3;
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  const auto engine = make_cuda_backend()->open(
      model, {.max_tokens = kGiven + kTokens, .max_batch = 1, .dtype = DType::f16});
  engine->resume(kGiven, [&](std::int64_t layer) { return made_up_cache(s, kGiven, layer); });
  TapRecorder taps(s, kGiven + kTokens);
  std::vector<float> all;
  for (const std::int32_t id : std::span(kIds).first(kTokens)) {
    engine->run({&id, 1}, tapped ? &taps : nullptr);
    all.insert(all.end(), engine->logits().begin(), engine->logits().end());
  }
  simt::defer(false);
  unsetenv("QAQ_CUDA_GRAPH");
  return all;
}

TEST(CudaEngine, GraphsAndTapsChangeNoByteOfADecodedToken) {
  const std::vector<float> plain = decoded_logits(false, false, 0);
  EXPECT_EQ(decoded_logits(false, true, 0), plain);
  const auto graphs = simt::live_graphs();
  EXPECT_EQ(decoded_logits(true, false, 1), plain);
  EXPECT_EQ(simt::live_graphs(), graphs);
}

TEST(CudaEngine, NoScheduleChangesAByte) {
  const auto model = tiny_llama();
  const auto n = std::ssize(kIds);
  std::vector<float> first;
  for (const auto schedule :
       {simt::Schedule::kForward, simt::Schedule::kReverse, simt::Schedule::kRandom}) {
    simt::set_schedule(schedule, 7);
    for (const bool deferred : {false, true}) {
      simt::defer(deferred, 3);
      const auto engine = make_cuda_backend()->open(model, {n, n});
      engine->run(kIds);
      if (first.empty()) first.assign(engine->logits().begin(), engine->logits().end());
      EXPECT_TRUE(std::ranges::equal(engine->logits(), first));
    }
    simt::defer(false);
  }
  simt::set_schedule(simt::Schedule::kForward);
}

TEST(CudaEngine, GoesOnBehindACacheThatIsGiven) {
  const auto model = tiny_llama();
  const auto n = std::ssize(kIds);
  const ModelShape& s = model->spec().shape;
  const auto engine = make_cuda_backend()->open(model, {n, n});
  TapRecorder taps(s, n);
  engine->run(kIds, &taps);
  const std::vector<float> expected(engine->logits().begin(), engine->logits().end());
  engine->resume(n - 1, [&](std::int64_t layer) {
    const auto of = [&](const NdArray<float, 4>& all) {
      auto one = std::make_shared<NdArray<float, 3>>(Shape<3>{s.n_kv_heads, n, s.head_dim});
      std::ranges::copy(all.sub(layer).span(), one->data());
      return one;
    };
    return Engine::LayerCache{of(taps.key), of(taps.value)};
  });
  engine->run({&kIds.back(), 1});
  EXPECT_TRUE(std::ranges::equal(engine->logits(), expected));
}

TEST(CudaEngine, RefusesToLeaveTokensOut) {
  const auto model = tiny_llama();
  const ModelShape& s = model->spec().shape;
  const auto engine = make_cuda_backend()->open(model, {8, 8});
  engine->run(std::span(kIds).first(4));
  const std::string why = refusal(
      [&] {
        engine->set_kept(std::make_shared<const NdArray<std::uint8_t, 3>>(
            NdArray<std::uint8_t, 3>({s.n_layers, s.n_kv_heads, 4})));
      },
      ErrorKind::work);
  EXPECT_NE(why.find("evicted tokens"), std::string::npos) << why;
  EXPECT_NE(why.find("--device cpu"), std::string::npos) << why;
}

TEST(CudaEngine, LeavesNothingBehind) {
  const auto before = simt::live_allocations();
  {
    const auto engine = make_cuda_backend()->open(tiny_llama(), {8, 8});
    engine->run(kIds);
    EXPECT_GT(simt::live_allocations(), before);
  }
  EXPECT_EQ(simt::live_allocations(), before);
}

TEST(CudaEngine, AnyAllocationMayFail) {
  const auto model = tiny_llama();
  const int n_allocations = fail_each_allocation([&] {
    make_cuda_backend()->open(model, {8, 8})->run(kIds);
  });
  EXPECT_GE(n_allocations, 5) << "one arena and some pinned buffers";
}

TEST(CudaEngine, TooLittleMemoryIsSaidBeforeAnythingIsTaken) {
  simt::set_device_memory(std::size_t{513} << 20);
  const auto model = tiny_llama();
  const auto before = simt::live_allocations();
  try {
    make_cuda_backend()->open(model, {4096, 4096});
    FAIL() << "was opened";
  } catch (const Error& error) {
    const std::string line = error.what();
    EXPECT_NE(line.find("GPU memory: needs "), std::string::npos) << line;
    EXPECT_NE(line.find("2048 instead of 4096 save "), std::string::npos) << line;
    EXPECT_NE(line.find("weights "), std::string::npos) << line;
  }
  EXPECT_EQ(simt::live_allocations(), before);
  simt::set_device_memory(std::size_t{80} << 30);
}

}  // namespace
}  // namespace qaq::test
