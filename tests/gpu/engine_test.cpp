// Models on the GPU backend in float32, kernels on the host's SIMT shim: the same bounds as the
// CPU's (tests/data/oracle/README.md), prefilled and decoded.

#include <cstdio>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu/simt/simt.h"
#include "tests/support/deviation.h"
#include "tests/support/reference_file.h"
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

INSTANTIATE_TEST_SUITE_P(Cuda, TinyModels, testing::ValuesIn(kTinyModels), [](const auto& tiny) {
  std::string name = tiny.param.model;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

std::shared_ptr<const ModelFile> tiny_llama() {
  return open_model(test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"));
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

TEST(CudaEngine, LeavesNothingBehind) {
  const auto before = simt::live_allocations();
  {
    const auto engine = make_cuda_backend()->open(tiny_llama(), {8, 8});
    engine->run(kIds);
    EXPECT_GT(simt::live_allocations(), before);
  }
  EXPECT_EQ(simt::live_allocations(), before);
}

// Every allocation failing in turn: one line, nothing left behind, and the process goes on.
TEST(CudaEngine, AnyAllocationMayFail) {
  const auto model = tiny_llama();
  const auto before = simt::live_allocations();
  int n_failed = 0;
  for (int nth = 1;; ++nth) {
    simt::fail_allocation(nth);
    try {
      make_cuda_backend()->open(model, {8, 8})->run(kIds);
      break;
    } catch (const Error& error) {
      ++n_failed;
      EXPECT_EQ(error.kind(), ErrorKind::work);
      EXPECT_NE(std::string(error.what()).find("--device cpu"), std::string::npos) << error.what();
    }
    EXPECT_EQ(simt::live_allocations(), before) << "allocation " << nth;
    ASSERT_LT(nth, 100);
  }
  simt::fail_allocation(0);
  EXPECT_GE(n_failed, 5) << "one arena and some pinned buffers";
  EXPECT_EQ(simt::live_allocations(), before);
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
