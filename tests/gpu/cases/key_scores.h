#pragma once

#include "gpu/cuda/kernels/key_scores.h"
#include "tests/gpu/cases/pages.h"

namespace qaq::cases {

struct ScoresProblem {
  PagesShape pages;
  std::int64_t group = 1;     ///< query heads of a KV head
  std::int64_t n_packed = 0;  ///< tokens in pages; the rest of pages.max_tokens is the tail
  std::int64_t window = 0;
  int least = 0;  ///< bits
  int most = kMaxBits;
  double evicted = 0;
  double query_size = 2;
};

/// A layer's cache with queries and tail rows.
class ScoresCase {
 public:
  ScoresCase(const ScoresProblem& p, std::uint32_t seed)
      : p_(p), numbers_(seed), pages_(p.pages, seed + 1), query_(make_query()) {
    const std::int64_t n_units = p.n_packed * p.pages.layout().units_per_token();
    pages_.follow(random_widths(numbers_, n_units, p.least, p.most, p.evicted), p.n_packed);
  }

  const ScoresProblem& problem() const { return p_; }
  const FollowedPages& pages() const { return pages_; }
  std::int64_t n_heads() const { return p_.group * p_.pages.n_kv_heads; }
  std::int64_t n_tokens() const { return p_.pages.max_tokens; }
  const std::vector<float>& query() const { return query_; }
  std::int64_t list_of(std::int64_t head) const { return first_list() + head / p_.group; }
  /// The last layer's.
  std::int64_t first_list() const { return p_.pages.n_lists() - p_.pages.n_kv_heads; }
  bool sees(std::int64_t head, std::int64_t token) const {
    if (p_.window > 0 && token <= n_tokens() - 1 - p_.window) return false;
    const std::int64_t row = list_of(head) * n_tokens() + token;
    return token >= p_.n_packed || pages_.held()[static_cast<std::size_t>(row)] != cuda::kInNoPage;
  }
  /// What the device holds of a row: packed or exact.
  const float* row(std::int64_t head, std::int64_t token) const {
    const std::vector<float>& from = token < p_.n_packed ? pages_.values() : pages_.rows();
    return from.data() + (list_of(head) * n_tokens() + token) * p_.pages.head_dim;
  }
  /// Size of one of its numbers, by which it may be rounded.
  double size_of(std::int64_t head, std::int64_t token, std::int64_t channel) const {
    return token < p_.n_packed ? pages_.size_of(list_of(head), token, channel)
                               : std::abs(row(head, token)[channel]);
  }
  cuda::CacheLengths lengths() const {
    return {static_cast<std::int32_t>(n_tokens()), static_cast<std::int32_t>(p_.n_packed)};
  }
  /// Tail rows begin behind the packed ones of each list.
  const void* tail() const {
    return static_cast<const std::byte*>(pages_.exact().data()) +
           p_.n_packed * p_.pages.head_dim * bytes_of(p_.pages.dtype);
  }
  std::int32_t n_pages() const { return pages_.device().cache().max_pages; }

 private:
  // Heads differ in size by powers of ten, and one is zero.
  std::vector<float> make_query() {
    std::vector<float> query = numbers_.bells(n_heads() * p_.pages.head_dim, p_.query_size);
    for (std::size_t i = 0; i < query.size(); ++i) {
      const auto head = static_cast<std::int64_t>(i) / p_.pages.head_dim;
      query[i] *= head % 3 == 1 ? 1e-3f : head % 5 == 4 ? 0.0f : 1.0f;
    }
    return query;
  }

  ScoresProblem p_;
  Numbers numbers_;
  FollowedPages pages_;
  std::vector<float> query_;
};

inline std::vector<float> run_scores(const ScoresCase& c, bool softmax) {
  const DeviceArray<float> query(c.query());
  const DeviceArray<cuda::CacheLengths> lengths(std::vector<cuda::CacheLengths>{c.lengths()});
  const DeviceArray<float> scores = unwritten(c.n_heads() * c.n_tokens());
  cuda::KeyScoresCall call{.cache = c.pages().device().cache()};
  call.first_list = c.first_list();
  call.query = query.data();
  call.tail = c.tail();
  call.tail_stride = c.n_tokens();
  call.lengths = lengths.data();
  call.scores = scores.data();
  call.score_stride = c.n_tokens();
  call.n_heads = c.n_heads();
  call.window = c.problem().window;
  call.max_pages = c.n_pages();
  require(cuda::key_scores(call, nullptr), "key_scores");
  if (softmax) require(cuda::softmax_scores(call, nullptr), "softmax_scores");
  return scores.host();
}

inline std::string scores_text(const ScoresProblem& p) {
  std::string text = pages_text(p.pages);
  text += ", " + shape_text({{"G", p.group}, {"packed", p.n_packed}});
  text += ", bits " + std::to_string(p.least) + " to " + std::to_string(p.most);
  return text + (p.window > 0 ? ", window " + std::to_string(p.window) : "");
}

inline CaseRow scores_case(const ScoresProblem& p) {
  const ScoresCase c(p, 43);
  const std::vector<float> got = run_scores(c, false);
  const double factor = 1 / std::sqrt(static_cast<double>(p.pages.head_dim));
  Worst worst;
  for (std::int64_t head = 0; head < c.n_heads(); ++head) {
    const float* query = c.query().data() + head * p.pages.head_dim;
    for (std::int64_t t = 0; t < c.n_tokens(); ++t) {
      const float score = got[static_cast<std::size_t>(head * c.n_tokens() + t)];
      if (!c.sees(head, t)) {
        worst.add(std::isnan(score) ? 0 : 1, 0, 0);  // not touched
        continue;
      }
      double want = 0, terms = 0;
      for (std::int64_t d = 0; d < p.pages.head_dim; ++d) {
        const double term = static_cast<double>(query[d]) * c.row(head, t)[d];
        want += term;
        terms += std::abs(term);
      }
      worst.add(score, want * factor, terms * factor);
    }
  }
  return {"key_scores", scores_text(p), worst.value(), 3e-6, digest_of(got)};
}

inline CaseRow softmax_case(const ScoresProblem& p) {
  const ScoresCase c(p, 47);
  const std::vector<float> scores = run_scores(c, false), got = run_scores(c, true);
  Worst worst;
  for (std::int64_t head = 0; head < c.n_heads(); ++head) {
    const float* row = scores.data() + head * c.n_tokens();
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::int64_t t = 0; t < c.n_tokens(); ++t) {
      if (c.sees(head, t)) largest = std::max(largest, static_cast<double>(row[t]));
    }
    for (std::int64_t t = 0; t < c.n_tokens(); ++t) {
      if (c.sees(head, t)) sum += std::exp(row[t] - largest);
    }
    for (std::int64_t t = 0; t < c.n_tokens(); ++t) {
      const float probability = got[static_cast<std::size_t>(head * c.n_tokens() + t)];
      if (!c.sees(head, t)) {
        worst.add(probability, 0, 1);
        continue;
      }
      const double want = std::exp(row[t] - largest) / sum;
      // The difference in the exponent is rounded.
      worst.add(probability, want, want * (1 + std::abs(row[t] - largest)));
    }
  }
  return {"softmax_scores", scores_text(p), worst.value(), 3e-7, digest_of(got)};
}

/// What attention to pages is tried on: every width of heads with all types, range rules and kinds
/// of outliers in turn; groups, layers, windows, evicted tokens, few bits and many; one page; a
/// tail alone.
inline std::vector<ScoresProblem> scores_problems(bool small) {
  std::vector<ScoresProblem> out;
  int i = 0;
  for (const std::int64_t head_dim : {16, 24, 48, 64, 80, 96, 128, 256}) {
    PagesShape s{.head_dim = head_dim, .max_tokens = 30};
    s.spec.range_rule = static_cast<RangeRule>(i % 3);
    s.dtype = std::vector{DType::f16, DType::bf16, DType::f32}[static_cast<std::size_t>(i / 2 % 3)];
    s.spec.outliers_ratio = i % 2 == 0 ? 0.05 : 0.0;
    s.spec.symmetric = i % 4 == 3;
    out.push_back({.pages = s, .n_packed = 29});
    ++i;
  }
  PagesShape s{.head_dim = 64, .max_tokens = 60};
  s.dtype = DType::f16;
  s.spec.outliers_ratio = 0.03;
  s.max_bits = 8;  // the kernel of few widths
  out.push_back({.pages = s, .group = 3, .n_packed = 60, .least = 1, .most = 4, .evicted = 0.3});
  s.n_layers = 2, s.n_kv_heads = 2;
  out.push_back({.pages = s, .group = 4, .n_packed = 57, .window = 20, .most = 8});
  PagesShape wide{.head_dim = 32, .max_tokens = 20};
  wide.spec.range_rule = RangeRule::minmax;
  out.push_back({.pages = wide, .group = 8, .n_packed = 19, .least = 11, .most = 16});
  wide.spec.range_rule = RangeRule::midpoint;
  out.push_back({.pages = wide, .group = 71, .n_packed = 9, .least = 9, .most = 16});
  wide.max_tokens = 3;
  out.push_back({.pages = wide, .n_packed = 0});
  wide.max_tokens = 16;
  out.push_back({.pages = wide, .n_packed = 16, .least = 5, .most = 5, .query_size = 40});
  if (small) return out;
  PagesShape big{.n_kv_heads = 4, .head_dim = 128, .max_tokens = 4097};
  big.dtype = DType::f16;
  big.spec.outliers_ratio = 0.01;
  out.push_back({.pages = big, .group = 8, .n_packed = 4096});
  big.max_bits = 8;
  out.push_back({.pages = big, .n_packed = 4096, .least = 1, .most = 8});
  return out;
}

inline std::vector<CaseRow> check_key_scores(bool small) {
  require(cuda::key_scores({}, nullptr), "key_scores of no heads");
  require(cuda::softmax_scores({}, nullptr), "softmax_scores of no heads");
  std::vector<CaseRow> rows;
  for (const ScoresProblem& p : scores_problems(small)) {
    rows.push_back(scores_case(p));
    rows.push_back(softmax_case(p));
  }
  return rows;
}

}  // namespace qaq::cases
