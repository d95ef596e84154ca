#pragma once

#include "core/policy/running_importance.h"
#include "gpu/cuda/kernels/importance.h"
#include "gpu/cuda/kernels/triangle.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct ImportanceProblem {
  std::int64_t n_layers = 2;
  std::int64_t n_kv_heads = 3;
  std::int64_t group = 1;
  std::int64_t n_tokens = 0;
  RunningImportance::Options options = {};
  std::int64_t first_row = 0;
  std::int64_t n_at_once = 0;  ///< rows of the first launch; then one at a time

  std::int64_t n_heads() const { return n_kv_heads * group; }
};

/// Numbers between the scores of two layers: some more than the slabs take.
inline std::int64_t score_stride(const ImportanceProblem& p, std::int64_t first,
                                 std::int64_t n_rows) {
  return p.n_heads() * cuda::triangle_size(first, n_rows) + 4;
}

/// Slabs of scores with zeros here and there, NaN where nobody may look; core is pushed the same
/// rows.
inline std::vector<float> scores_for(const ImportanceProblem& p, std::int64_t first,
                                     std::int64_t n_rows, RunningImportance& core) {
  Numbers numbers(static_cast<std::uint32_t>(100 + first));
  std::vector<float> scores(static_cast<std::size_t>(p.n_layers * score_stride(p, first, n_rows)),
                            std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t layer = 0; layer < p.n_layers; ++layer) {
    for (std::int64_t row = first; row < first + n_rows; ++row) {
      NdArray<float, 3> seen({p.n_heads(), 1, row + 1});
      for (std::int64_t head = 0; head < p.n_heads(); ++head) {
        const auto own = seen.sub(head, 0).span();
        for (float& score : own) {
          const double x = numbers.uniform();
          score = static_cast<float>(x < 0.2 ? 0.0 : x * x * x);
        }
        const std::int64_t at = layer * score_stride(p, first, n_rows) +
                                head * cuda::triangle_size(first, n_rows) +
                                cuda::triangle_size(first, row - first);
        std::copy(own.begin(), own.end(), scores.begin() + at);
      }
      core.push(layer, row, seen.view());
    }
  }
  return scores;
}

/// The importance of the first n tokens, and whatever else is there: unwritten, NaN.
inline double n_wrong_importance(const ImportanceProblem& p, const std::vector<float>& got,
                                 const NdView<const float, 3>& want) {
  const std::int64_t stride = std::ssize(got) / (p.n_layers * p.n_kv_heads);
  double n = 0;
  for (std::int64_t row = 0; row < p.n_layers * p.n_kv_heads; ++row) {
    for (std::int64_t token = 0; token < stride; ++token) {
      const float x = got[static_cast<std::size_t>(row * stride + token)];
      const bool right = token < want.shape(2)
                             ? same_bytes(x, want(row / p.n_kv_heads, row % p.n_kv_heads, token))
                             : std::isnan(x);
      n += right ? 0 : 1;
    }
  }
  return n;
}

inline CaseRow importance_case(const ImportanceProblem& p) {
  const std::int64_t stride = p.n_tokens + 3, n_kv_rows = p.n_layers * p.n_kv_heads;
  RunningImportance core(p.options, {p.n_layers, p.n_kv_heads, p.n_tokens});
  // As another run left it: what is taken from there shows.
  const DeviceArray<float> ring(
      std::vector<float>(static_cast<std::size_t>(n_kv_rows * p.options.n_rows * stride), 9.0f));
  const DeviceArray<float> out = unwritten(n_kv_rows * stride);
  const DeviceArray<double> state(std::vector<double>(static_cast<std::size_t>(n_kv_rows * stride),
                                                      std::numeric_limits<double>::quiet_NaN()));
  double n = 0;
  std::uint64_t digest = 0;
  for (std::int64_t row = p.first_row, n_rows = p.n_at_once; row < p.n_tokens;
       row += n_rows, n_rows = 1) {
    const DeviceArray<float> scores(scores_for(p, row, n_rows, core));
    const DeviceArray<cuda::ImportanceStep> step(
        std::vector<cuda::ImportanceStep>{{row, p.first_row}});
    const bool from_host = row == p.first_row;
    require(cuda::importance({.scores = scores.data(),
                              .importance = out.data(),
                              .ring = ring.data(),
                              .state = state.data(),
                              .score_stride = score_stride(p, row, n_rows),
                              .stride = stride,
                              .n_layers = p.n_layers,
                              .n_heads = p.n_heads(),
                              .n_kv_heads = p.n_kv_heads,
                              .n_rows = n_rows,
                              .reduce = static_cast<cuda::HeadReduce>(p.options.reduce),
                              .kind = static_cast<cuda::ImportanceKind>(p.options.rule),
                              .beta = p.options.beta,
                              .n_ring = p.options.n_rows,
                              .step = from_host ? cuda::ImportanceStep{row, p.first_row}
                                                : cuda::ImportanceStep{},
                              .step_on_device = from_host ? nullptr : step.data(),
                              .max_tokens = p.n_tokens},
                             nullptr),
            "importance");
    const std::vector<float> got = out.host();
    n += n_wrong_importance(p, got, core.of_first(row + n_rows));
    digest = digest_of(got, digest);
  }
  const auto name = [](const auto& names, auto value) {
    return std::string(names[static_cast<std::size_t>(value)]);
  };
  return {"importance",
          name(ChoiceNames<ImportanceRule>::names, p.options.rule) + " of " +
              name(ChoiceNames<GqaReduce>::names, p.options.reduce) + ", " +
              shape_text({{"L", p.n_layers},
                          {"H", p.n_kv_heads},
                          {"G", p.group},
                          {"T", p.n_tokens},
                          {"from", p.first_row},
                          {"at once", p.n_at_once},
                          {"n", p.options.n_rows}}),
          n, 0, digest};
}

inline std::vector<CaseRow> check_importance(bool small) {
  require(cuda::importance({.n_layers = 1, .n_heads = 1, .n_kv_heads = 1}, nullptr),
          "importance of no rows");
  std::vector<CaseRow> rows;
  const auto check = [&](const ImportanceProblem& p) { rows.push_back(importance_case(p)); };
  for (const ImportanceRule rule : {ImportanceRule::window_max, ImportanceRule::ema,
                                    ImportanceRule::decayed_max, ImportanceRule::accumulated}) {
    for (const GqaReduce reduce : {GqaReduce::max, GqaReduce::mean, GqaReduce::sum}) {
      check({.group = 3,
             .n_tokens = 11,
             .options = {.rule = rule, .beta = 0.8, .n_rows = 4, .reduce = reduce},
             .n_at_once = 7});
    }
    check({.n_tokens = 5, .options = {.rule = rule, .beta = 0, .n_rows = 1}, .n_at_once = 1});
  }
  // Fewer rows than the window, a window that begins late, and one of all rows.
  check({.group = 2, .n_tokens = 6, .options = {.n_rows = 5}, .n_at_once = 2});
  check({.n_tokens = 20, .options = {.n_rows = 5}, .first_row = 12, .n_at_once = 3});
  check({.n_tokens = 9, .options = {.n_rows = 9}, .n_at_once = 8});
  check({.n_layers = 1,
         .n_kv_heads = 1,
         .n_tokens = 258,
         .options = {.n_rows = 3},
         .n_at_once = 256});
  if (!small) {
    for (const ImportanceRule rule : {ImportanceRule::window_max, ImportanceRule::ema}) {
      check({.n_layers = 4,
             .n_kv_heads = 8,
             .group = 4,
             .n_tokens = 515,
             .options = {.rule = rule, .n_rows = 5},
             .n_at_once = 513});
    }
  }
  return rows;
}

}  // namespace qaq::cases
