// Small random models of every family and file format against a float64 forward pass: bounds of
// tests/data/oracle/README.md, tight enough to show a wrong epsilon. To add a family: a folder with
// a tiny model and its reference file in tests/data/oracle, and a line in
// tests/support/tiny_models.h.

#include <cstdio>
#include <gtest/gtest.h>

#include "core/engine/backend.h"
#include "core/model/rope.h"
#include "core/tensor/logits_summary.h"
#include "data/models/model_file.h"
#include "tests/support/deviation.h"
#include "tests/support/reference_file.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_models.h"

namespace qaq {
namespace {

using test::Deviation;
using test::kCpuTinyModels;
using test::kTinyModels;
using test::ReferenceFile;
using test::TapRecorder;
using test::TinyModel;

std::string reference_path(const TinyModel& each) {
  return test::test_data_path(std::string("oracle/") + each.reference + ".h5");
}

class FamilyOracle : public testing::TestWithParam<TinyModel> {
 protected:
  FamilyOracle()
      : model_(open_model(test::test_data_path(GetParam().model))),
        reference_(reference_path(GetParam())) {
    const auto wide = reference_.integers("token_ids");
    ids_.assign(wide.begin(), wide.end());
    n_tokens_ = static_cast<std::int64_t>(ids_.size());
  }

  // Largest deviation as a share of the largest reference, and the bound on it. Forward files hold
  // what their README lists; false where this one lacks `name`.
  bool expect_near(std::span<const float> ours, const std::string& name) {
    if (!reference_.has(name)) return false;
    Deviation d;
    const auto numbers = reference_.floats(name);
    d.add<float, float>(ours, numbers);
    // Attention is bounded absolutely; its largest score is 1 anyway.
    const double deviation = name == "attention" ? d.max_abs : d.max_relative();
    EXPECT_LE(deviation, 1e-5) << name;
    EXPECT_GT(d.max_reference, 0.0) << name;
    worst_ = std::max(worst_, deviation);
    return true;
  }

  std::shared_ptr<const ModelFile> model_;
  ReferenceFile reference_;
  std::vector<std::int32_t> ids_;
  std::int64_t n_tokens_ = 0;
  double worst_ = 0;
};

TEST_P(FamilyOracle, TapsAndLogits) {
  const auto engine = make_cpu_backend()->open(model_, {n_tokens_, n_tokens_});
  TapRecorder taps(model_->spec().shape, n_tokens_);
  engine->run(ids_, &taps);
  const std::int64_t last_layer = model_->spec().shape.n_layers - 1;
  // Some files hold the last layer's keys alone.
  EXPECT_TRUE(expect_near(taps.key.span(), "key") ||
              expect_near(taps.key.sub(last_layer).span(), "key_last_layer"));
  expect_near(taps.query.span(), "query");
  expect_near(taps.value.span(), "value");
  expect_near(taps.attention.span(), "attention");
  EXPECT_TRUE(expect_near(taps.logits.span(), "logits"));

  const auto argmax = reference_.integers("argmax_token");
  const auto argmax_logit = reference_.floats("argmax_logit");
  const auto logsumexp = reference_.floats("logsumexp");
  const auto logits = reference_.floats("logits");
  const float largest =
      std::abs(*std::ranges::max_element(logits, {}, [](float x) { return std::abs(x); }));
  for (std::int64_t t = 0; t < n_tokens_; ++t) {
    const auto i = static_cast<std::size_t>(t);
    const LogitsSummary ours = summarize_logits(taps.logits.sub(t).span(), 1);
    EXPECT_EQ(ours.argmax, argmax[i]) << "token " << t;
    EXPECT_NEAR(ours.argmax_logit, argmax_logit[i], 1e-5 * largest) << "token " << t;
    EXPECT_NEAR(ours.logsumexp, logsumexp[i], 1e-5 * largest) << "token " << t;
  }
  std::printf("  %-75s %.1e\n", GetParam().model, worst_);
}

class FamilyGreedy : public FamilyOracle {};

TEST_P(FamilyGreedy, TokensAreEqual) {
  const auto expected = reference_.integers("greedy_token");
  const auto engine = make_cpu_backend()->open(
      model_, {n_tokens_ + static_cast<std::int64_t>(expected.size()), n_tokens_});
  engine->run(ids_);
  for (const std::int64_t token : expected) {
    const std::int32_t ours = engine->greedy_token();
    ASSERT_EQ(ours, token) << "after " << engine->n_tokens() << " tokens";
    engine->run({&ours, 1});
  }
}

TEST_P(FamilyOracle, RotationFrequencies) {
  if (model_->spec().positions != PositionEmbedding::rope) {
    EXPECT_FALSE(reference_.has("rope_frequency"));
    EXPECT_TRUE(rope_frequencies(model_->spec().rope, n_tokens_).empty());
    return;
  }
  const auto expected = reference_.doubles("rope_frequency");
  const auto ours = rope_frequencies(model_->spec().rope, n_tokens_);
  ASSERT_EQ(ours.size(), expected.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(ours[i], expected[i], 1e-6 * expected[i]) << "pair " << i;
  }
}

TEST_P(FamilyOracle, AlibiSlopesAreEqual) {
  const std::vector<float>& ours = model_->spec().alibi_slopes;
  EXPECT_EQ(ours.empty(), !reference_.has("alibi_slope"));
  if (!ours.empty()) {
    EXPECT_EQ(ours, reference_.floats("alibi_slope"));
  }
}

std::string name_of_test(const testing::TestParamInfo<TinyModel>& each) {
  std::string name = each.param.model;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

std::vector<TinyModel> all_models() {
  std::vector<TinyModel> out(std::begin(kTinyModels), std::end(kTinyModels));
  out.insert(out.end(), std::begin(kCpuTinyModels), std::end(kCpuTinyModels));
  return out;
}

// The forward files of variants hold no greedy tokens.
std::vector<TinyModel> models_with_greedy_tokens() {
  std::vector<TinyModel> out;
  for (const TinyModel& each : all_models()) {
    const ReferenceFile reference(reference_path(each));
    if (reference.has("greedy_token")) out.push_back(each);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Tiny, FamilyOracle, testing::ValuesIn(all_models()), name_of_test);
INSTANTIATE_TEST_SUITE_P(Tiny, FamilyGreedy, testing::ValuesIn(models_with_greedy_tokens()),
                         name_of_test);

}  // namespace
}  // namespace qaq
