// What is written is read back: every profile, every dtype, every way that a run may end.
#include <gtest/gtest.h>
#include <optional>

#include "core/base/error.h"
#include "core/base/half.h"
#include "data/capture/capture_file.h"
#include "tests/data/capture/synthetic_run.h"
#include "tests/support/temporary_folder.h"

namespace qaq::test {
namespace {

enum class Ending { prompt_only, as_planned, early };

struct Case {
  AttentionProfile profile = AttentionProfile::full;
  DType dtype = DType::f32;
  Ending ending = Ending::prompt_only;
};

void PrintTo(const Case& c, std::ostream* out) {
  static constexpr const char* kProfiles[] = {"full", "window", "derive", "none"};
  static constexpr const char* kEndings[] = {"prompt_only", "as_planned", "early"};
  *out << kProfiles[static_cast<int>(c.profile)] << '_' << name_of(c.dtype) << '_'
       << kEndings[static_cast<int>(c.ending)];
}

float as_stored(float x, DType dtype) {
  if (dtype == DType::f16) return float_from_half(half_from_float(x));
  return dtype == DType::bf16 ? float_from_bf16(bf16_from_float(x)) : x;
}

class RoundTrip : public testing::TestWithParam<Case> {
 protected:
  static constexpr std::int64_t kWindow = 6;
  static constexpr std::int64_t kTokens = 20;
  const std::vector<std::int32_t> kModelWindows{0, 5, 7};  // of a model with sliding windows
  const std::vector<float> kSlopes{0.5f, 0.3f, 0.2f, 0.1f};

  void SetUp() override {
    const bool prompt_only = GetParam().ending == Ending::prompt_only;
    run_ = make_run(small_shape(), prompt_only ? kTokens : 13, kTokens);
    CapturePlan plan = plan_of(*run_, {0, 2});
    plan.info.profile = GetParam().profile;
    plan.info.dtype = GetParam().dtype;
    plan.attention_window = kWindow;
    if (GetParam().profile == AttentionProfile::full) {
      plan.info.attention_windows = kModelWindows;
      plan.info.position_embedding = PositionEmbedding::alibi;
      plan.info.alibi_slopes = kSlopes;
    }
    if (GetParam().ending == Ending::early) {
      plan.may_end_early = true;
      plan.max_tokens += 11;
    }
    const auto writer = CaptureWriter::create(folder_.file("a.h5"), plan);
    put_run(*run_, *writer);
    writer->finish(run_->tokens, R"({"seed": 1})");
    capture_ = open_capture(folder_.file("a.h5"));
  }

  /// `got` (heads, T, D) of the captured layer against the run's numbers, rounded as stored.
  void expect_layer(const SharedArray<float, 3>& got, const NdArray<float, 4>& all,
                    std::int64_t layer) const {
    ASSERT_EQ(got->shape(), (Shape<3>{all.shape(1), all.shape(2), all.shape(3)}));
    const auto expected = all.sub(layer).span();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(got->span()[i], as_stored(expected[i], GetParam().dtype)) << "number " << i;
    }
  }

  TemporaryFolder folder_;
  std::optional<SyntheticRun> run_;
  std::shared_ptr<const CaptureView> capture_;
};

TEST_P(RoundTrip, KeepsKeysValuesAndQueriesOfTheCapturedLayers) {
  for (std::int64_t i = 0; i < 2; ++i) {
    const std::int64_t layer = capture_->info().layers[static_cast<std::size_t>(i)];
    expect_layer(capture_->key(i), run_->key, layer);
    expect_layer(capture_->value(i), run_->value, layer);
    expect_layer(capture_->query(i), run_->query, layer);
  }
}

TEST_P(RoundTrip, KeepsTheAttentionRowsOfTheProfile) {
  const CaptureInfo& info = capture_->info();
  if (GetParam().profile == AttentionProfile::none) {
    EXPECT_TRUE(info.query_token.empty());
    EXPECT_THROW(capture_->attention(0, 0, 1), Error);
    return;
  }
  const std::int64_t n_rows = GetParam().profile == AttentionProfile::window ? kWindow : kTokens;
  ASSERT_EQ(info.n_query_rows(), n_rows);
  // Derived scores come from rounded queries and keys: float16 keeps 11 bits, bfloat16 8.
  const bool derived = GetParam().profile == AttentionProfile::derive;
  const float tolerance = !derived                         ? 0.0f
                          : GetParam().dtype == DType::f32 ? 1e-6f
                          : GetParam().dtype == DType::f16 ? 0.01f
                                                           : 0.1f;
  for (std::int64_t i = 0; i < 2; ++i) {
    const std::int64_t layer = info.layers[static_cast<std::size_t>(i)];
    const auto scores = capture_->attention(i, 1, n_rows - 1);
    ASSERT_EQ(scores->shape(), (Shape<3>{run_->shape.n_heads, n_rows - 1, kTokens}));
    for (std::int64_t h = 0; h < run_->shape.n_heads; ++h) {
      for (std::int64_t row = 0; row < n_rows - 1; ++row) {
        const std::int64_t position = info.query_token[static_cast<std::size_t>(row) + 1];
        ASSERT_EQ(position, kTokens - n_rows + row + 1);
        for (std::int64_t t = 0; t < kTokens; ++t) {
          ASSERT_NEAR((*scores)(h, row, t), run_->attention(layer, h, position, t), tolerance)
              << "layer " << layer << " head " << h << " row " << position << " token " << t;
        }
      }
    }
  }
}

TEST_P(RoundTrip, KeepsWhatIsKnownOfTheRun) {
  const CaptureInfo& info = capture_->info();
  EXPECT_EQ(info.attention_windows, GetParam().profile == AttentionProfile::full
                                        ? kModelWindows
                                        : std::vector<std::int32_t>{});
  const bool alibi = GetParam().profile == AttentionProfile::full;
  EXPECT_EQ(info.position_embedding, alibi ? PositionEmbedding::alibi : PositionEmbedding::rope);
  EXPECT_EQ(info.alibi_slopes, alibi ? kSlopes : std::vector<float>{});
  EXPECT_EQ(info.name, "a.h5");
  EXPECT_EQ(info.model_name, "synthetic");
  EXPECT_EQ(info.shape.n_layers, 3);
  EXPECT_EQ(info.shape.n_heads, 4);
  EXPECT_EQ(info.shape.n_kv_heads, 2);
  EXPECT_EQ(info.shape.head_dim, 8);
  EXPECT_EQ(info.shape.vocab_size, 50);
  EXPECT_EQ(info.rope_theta, 10000);
  EXPECT_EQ(info.layers, (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(info.n_tokens, kTokens);
  EXPECT_EQ(info.n_prompt, run_->n_prompt);
  EXPECT_EQ(info.prompt_text, "na\xc3\xafve \xe2\x86\x92 text");
  EXPECT_EQ(info.token_ids, run_->tokens.ids);
  EXPECT_EQ(info.token_text, run_->tokens.text);
  EXPECT_EQ(info.token_bytes, run_->tokens.bytes);
  EXPECT_EQ(info.special_ids, (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(info.dtype, GetParam().dtype);
  EXPECT_EQ(info.profile, GetParam().profile);
  EXPECT_TRUE(info.has_queries);
  EXPECT_EQ(info.creator, "qaq 0.1.0");
  EXPECT_EQ(info.created_utc, "2026-01-02T03:04:05Z");
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto profile : {AttentionProfile::full, AttentionProfile::window,
                             AttentionProfile::derive, AttentionProfile::none}) {
    for (const auto dtype : {DType::f32, DType::f16, DType::bf16}) {
      for (const auto ending : {Ending::prompt_only, Ending::as_planned, Ending::early}) {
        cases.push_back({profile, dtype, ending});
      }
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, RoundTrip, testing::ValuesIn(all_cases()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace qaq::test
