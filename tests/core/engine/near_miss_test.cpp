// Whether the bound of the tiny models tells a family's pieces from those that are nearly the same:
// each model with one piece exchanged must miss its reference.

#include <cstdio>
#include <functional>
#include <gtest/gtest.h>

#include "core/engine/backend.h"
#include "data/models/model_file.h"
#include "tests/support/deviation.h"
#include "tests/support/reference_file.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

/// The weights of a model under another spec.
class ChangedModel : public ModelSource {
 public:
  ChangedModel(std::shared_ptr<const ModelSource> model,
               const std::function<void(ModelSpec&)>& change)
      : model_(std::move(model)), spec_(model_->spec()) {
    change(spec_);
  }
  const ModelSpec& spec() const override { return spec_; }
  const std::string& file() const override { return model_->file(); }
  const std::string& sha256() const override { return model_->sha256(); }
  WeightView weight(WeightRole role, std::int64_t layer) const override {
    return model_->weight(role, layer);
  }

 private:
  std::shared_ptr<const ModelSource> model_;
  ModelSpec spec_;
};

struct NearMiss {
  const char* name;
  const char* model;
  std::function<void(ModelSpec&)> change;
};

// Shown by name where a test fails.
void PrintTo(const NearMiss& miss, std::ostream* out) { *out << miss.name; }

const std::vector<NearMiss> kNearMisses{
    {"Gpt2WithExactGelu", "gpt2", [](ModelSpec& s) { s.activation = Activation::gelu; }},
    {"NeoxWithTanhGelu", "gpt_neox", [](ModelSpec& s) { s.activation = Activation::gelu_tanh; }},
    {"OptWithGelu", "opt", [](ModelSpec& s) { s.activation = Activation::gelu; }},
    {"OptOnePositionOff", "opt",
     [](ModelSpec& s) {
       --s.shape.position_offset;
       ++s.shape.context_length;  // the table stays as long
     }},
    {"BloomWithoutAlibi", "bloom", [](ModelSpec& s) { s.alibi_slopes.clear(); }},
    {"BloomWithTheSlopesOfEightHeads", "bloom",
     [](ModelSpec& s) { s.alibi_slopes = alibi_slopes(8); }},
    {"BloomWithoutItsEmbeddingsNorm", "bloom", [](ModelSpec& s) { s.embedding_norm = false; }},
    {"NeoxOneAfterTheOther", "gpt_neox", [](ModelSpec& s) { s.parallel_residual = false; }},
    {"NeoxTurningMoreChannels", "gpt_neox", [](ModelSpec& s) { s.rope.n_rotary_dim = 6; }},
    {"Gpt2WithAnotherEpsilon", "gpt2", [](ModelSpec& s) { s.norm_epsilon = 1e-4; }},
};

class NearMisses : public testing::TestWithParam<NearMiss> {};

// The logits of `model` over the reference's tokens: largest deviation as a share of the largest.
double deviation_of(std::shared_ptr<const ModelSource> model,
                    const test::ReferenceFile& reference) {
  const auto wide = reference.integers("token_ids");
  const std::vector<std::int32_t> ids(wide.begin(), wide.end());
  const auto n = std::ssize(ids);
  test::TapRecorder taps(model->spec().shape, n);
  make_cpu_backend()->open(std::move(model), {n, n})->run(ids, &taps);
  test::Deviation d;
  const auto logits = reference.floats("logits");
  d.add<float, float>(taps.logits.span(), logits);
  return d.max_relative();
}

TEST_P(NearMisses, AreBeyondTheBound) {
  const std::string name = std::string("oracle/tiny_") + GetParam().model;
  const test::ReferenceFile reference(test::test_data_path(name + "_forward.h5"));
  const auto model = open_model(test::test_data_path(name));
  constexpr double kBound = 1e-5;
  EXPECT_LE(deviation_of(model, reference), kBound);
  const double missed =
      deviation_of(std::make_shared<ChangedModel>(model, GetParam().change), reference);
  EXPECT_GT(missed, 2 * kBound);
  std::printf("  %-32s %.1e\n", GetParam().name, missed);
}

INSTANTIATE_TEST_SUITE_P(Tiny, NearMisses, testing::ValuesIn(kNearMisses),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace qaq
