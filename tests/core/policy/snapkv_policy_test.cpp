// SnapKV against its own code (a cache for each query head) and KVCache-Factory's (by group).
#include "core/policy/snapkv_policy.h"

#include <gtest/gtest.h>

#include "tests/support/narrative_layer.h"
#include "tests/support/refusal.h"

namespace qaq {
namespace {

using test::rival_retention;

// With the cache that SnapKV's own code makes: keys and values repeated to every query head.
test::RetainedLayer repeated(test::RetainedLayer input) {
  const std::int64_t n_heads = input.query.shape(0), group = n_heads / input.key.shape(0);
  for (NdArray<float, 3>* each : {&input.key, &input.value}) {
    NdArray<float, 3> out({n_heads, each->shape(1), each->shape(2)});
    for (std::int64_t head = 0; head < n_heads; ++head) {
      std::ranges::copy(each->sub(head / group).span(), out.sub(head).span().begin());
    }
    *each = std::move(out);
  }
  return input;
}

SnapKvParams params_of(const std::string& group, const std::string& gqa) {
  SnapKvParams params;
  for (const char* name : {"window_size", "kernel_size", "max_capacity_prompt"}) {
    set_parameter(params, name,
                  static_cast<std::int64_t>(rival_retention().number_attribute(group, name)));
  }
  set_parameter(params, "pooling", rival_retention().text_attribute(group, "pooling"));
  set_parameter(params, "gqa", gqa);
  return params;
}

// What window_attention() gives of the whole narrative.
NdArray<double, 2> attention_of(const SnapKvParams& params, const test::RetainedLayer& input) {
  PromptView view{
      .shape = {1, input.key.shape(0), 95, 64}, .n_heads = 9, .scores = input.attention.view()};
  return window_attention(params.window, view);
}

TEST(SnapKvPolicy, KeepsWhatThePublishedCodesKeep) {
  int n_heads = 0, n_plateaus = 0;
  for (const std::string config : {"0", "1", "2", "3"}) {
    for (const std::string layer : {"01", "14"}) {
      for (const std::string gqa : {"mean", "max", "repeat"}) {
        const std::string group = "snapkv/" + config + "/layer" + layer;
        const SnapKvParams params = params_of(group, gqa);
        const auto input =
            gqa == "repeat" ? repeated(test::narrative_layer(layer)) : test::narrative_layer(layer);
        const NdArray<double, 2> ours = attention_of(params, input);
        const auto pooled = rival_retention().doubles(group + "/pooled_" + gqa);
        ASSERT_EQ(ours.size(), std::ssize(pooled));
        for (std::size_t i = 0; i < pooled.size(); ++i) {
          ASSERT_NEAR(ours.span()[i], pooled[i], 1e-5 * pooled[i]) << group << " " << gqa;
        }
        const auto kept = rival_retention().integers(group + "/kept_" + gqa);
        const auto margin = rival_retention().doubles(group + "/margin_" + gqa);
        const std::int64_t n_kept = rival_retention().shape(group + "/kept_" + gqa).at(1);
        const SnapKvPolicy policy(params);
        const test::RetentionRun run(input, 95, policy);
        for (std::int64_t head = 0; head < input.key.shape(0); ++head, ++n_heads) {
          const auto row = kept.begin() + head * n_kept;
          const std::vector<std::int64_t> theirs(row, row + n_kept);
          const std::vector<std::int64_t> own = run.kept_tokens(head);
          ASSERT_EQ(own.size(), theirs.size());
          if (margin[static_cast<std::size_t>(head)] > 0) {
            EXPECT_EQ(own, theirs) << group << " " << gqa << ", head " << head;
            continue;
          }
          // Pooling by maximum makes plateaus: any of equal ones is right.
          ++n_plateaus;
          const auto sorted = [&](const std::vector<std::int64_t>& tokens) {
            std::vector<double> out;
            for (const std::int64_t token : tokens) {
              if (token < ours.shape(1)) out.push_back(ours(head, token));
            }
            std::ranges::sort(out);
            return out;
          };
          EXPECT_EQ(sorted(own), sorted(theirs)) << group << " " << gqa << ", head " << head;
        }
      }
    }
  }
  EXPECT_EQ(n_heads, 4 * 2 * (3 + 3 + 9));
  EXPECT_GT(n_plateaus, 0);
  EXPECT_LT(n_plateaus, n_heads / 2);
}

TEST(SnapKvPolicy, PromptsOfTheCapacityAndLaterTokensStay) {
  const auto input = test::narrative_layer("14");
  for (const std::int64_t n_prompt : {1, 40, 41, 60}) {
    const SnapKvPolicy policy({.max_capacity_prompt = 40, .window = {.window_size = 8}});
    test::RetentionRun run(input, n_prompt, policy);
    std::int64_t n_kept = std::min<std::int64_t>(40, n_prompt);
    do {
      ASSERT_EQ(std::ssize(run.kept_tokens(1)), n_kept) << n_prompt;
      ++n_kept;
    } while (run.step());
  }
}

TEST(SnapKvPolicy, RepeatNeedsAHeadOfItsOwnForEachQueryHead) {
  const SnapKvPolicy policy({.window = {.gqa = WindowGroup::repeat}});
  const auto line = [&](std::int64_t n_heads) {
    return test::refusal([&] { policy.open_layer(0, {1, 3, 10, 64}, n_heads); }, ErrorKind::usage);
  };
  EXPECT_EQ(line(3), "taken");
  EXPECT_NE(line(9).find("gqa"), std::string::npos);
  EXPECT_NE(line(9).find("3 times"), std::string::npos);
}

TEST(SnapKvPolicy, RefusesWindowsThatFillItAndEvenKernels) {
  const auto line = [](const SnapKvParams& params) {
    return test::refusal([&] { SnapKvPolicy{params}; }, ErrorKind::usage);
  };
  EXPECT_EQ(line({.max_capacity_prompt = 33}), "taken");
  EXPECT_NE(line({.max_capacity_prompt = 32}).find("max_capacity_prompt"), std::string::npos);
  EXPECT_NE(line({.window = {.kernel_size = 4}}).find("kernel_size=5"), std::string::npos);
}

}  // namespace
}  // namespace qaq
