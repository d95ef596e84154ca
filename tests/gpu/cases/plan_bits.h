#pragma once

#include "core/policy/qaq_policy.h"
#include "core/replay/streamed_cache.h"
#include "gpu/cuda/kernels/plan_bits.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct PlanProblem {
  std::string name;
  CacheSide side = CacheSide::key;
  QaqSideParams params = {};
  CacheShape shape = {1, 1, 0, 128};
  std::int64_t n_parts = 1;  ///< launches for the units of a token

  UnitLayout layout() const { return UnitLayout(params.level, shape); }
  QaqPolicy policy() const {
    QaqParams both;
    (side == CacheSide::key ? both.key : both.value) = params;
    return QaqPolicy(both);
  }
};

/// What a policy sees, and a kernel: everything there is, but queries' norms where one is given.
struct PlanFacts {
  std::vector<UnitStats> stats;
  NdArray<float, 3> importance;  ///< (n_layers, n_kv_heads, T)
  NdArray<float, 3> distance;
  NdArray<float, 2> q_norm;

  PolicyView view(const PlanProblem& p) const {
    PolicyView view{.side = p.side, .layout = p.layout(), .stats = stats};
    view.importance = importance.view();
    view.distance = distance.view();
    if (!p.params.q_norm.number) view.q_norm = q_norm.view();
    return view;
  }
};

/// Numbers of all magnitudes, and some zeros.
inline float any_magnitude(Numbers& numbers, double zeros) {
  if (numbers.uniform() < zeros) return 0;
  return static_cast<float>(std::exp2(-30 * numbers.uniform() * numbers.uniform()));
}

/// The range whose bits are at the edge to the next number: so many representable numbers away.
inline float range_at_edge(const BitRule& rule, const UnitFacts& unit, int n_bits, int n_away) {
  const float error = rule.choose(unit).error;
  const double range = rule.kind == BitRule::Kind::variance
                           ? std::sqrt(12.0) * std::sqrt(double{error}) * std::exp2(n_bits)
                           : 2.0 * error * (std::exp2(n_bits) - 1);
  auto out = static_cast<float>(std::min(range, 1e30));
  for (int i = 0; i < std::abs(n_away); ++i) out = std::nextafter(out, n_away < 0 ? 0.0f : 1e38f);
  return out;
}

/// Facts of every unit, most of them within two representable numbers of where bits change.
inline PlanFacts plan_facts(const PlanProblem& p, std::uint32_t seed) {
  Numbers numbers(seed);
  const Shape<3> shape{p.shape.n_layers, p.shape.n_kv_heads, p.shape.n_tokens};
  PlanFacts facts{.stats = std::vector<UnitStats>(static_cast<std::size_t>(p.layout().n_units())),
                  .importance = NdArray<float, 3>(shape),
                  .distance = NdArray<float, 3>(shape),
                  .q_norm = NdArray<float, 2>({shape[0], shape[1]})};
  for (float& x : facts.importance.span()) x = any_magnitude(numbers, 0.05);
  for (float& x : facts.distance.span()) x = 40 * any_magnitude(numbers, 0.05);
  for (float& x : facts.q_norm.span()) x = static_cast<float>(50 + 400 * numbers.uniform());
  const PolicyView view = facts.view(p);
  const QaqPolicy policy = p.policy();
  const BitRule rule = policy.rule(view);
  const UnitFactsTable units = policy.facts(view);
  for (std::size_t unit = 0; unit < units.size(); ++unit) {
    UnitStats& stats = facts.stats[unit];
    float range = any_magnitude(numbers, 0.05);
    if (numbers.uniform() < 0.8 && rule.kind != BitRule::Kind::fixed) {
      const auto n_bits = static_cast<int>(18 * numbers.uniform());
      range = range_at_edge(rule, units[unit], n_bits, static_cast<int>(5 * numbers.uniform()) - 2);
    }
    // Symmetric ones span twice the largest magnitude, of either sign.
    stats.max = p.params.symmetric ? range / 2 : range;
    if (p.params.symmetric) stats.min = -range / (unit % 3 == 0 ? 2 : 4);
    if (p.params.symmetric && unit % 2 == 0) std::swap(stats.min, stats.max);
    stats.n_inliers = 1;
  }
  return facts;
}

/// (n_layers, n_kv_heads, T) with as much room as the kernel's rows have, NaN in it.
inline std::vector<float> with_room(const NdView<const float, 3>& numbers, std::int64_t stride) {
  std::vector<float> out;
  for (std::int64_t layer = 0; layer < numbers.shape(0); ++layer) {
    for (std::int64_t head = 0; head < numbers.shape(1); ++head) {
      const auto row = numbers.sub(layer, head).span();
      out.insert(out.end(), row.begin(), row.end());
      out.resize(out.size() + static_cast<std::size_t>(stride - numbers.shape(2)),
                 std::numeric_limits<float>::quiet_NaN());
    }
  }
  return out;
}

/// What a plan and the next have in common on the device.
class DevicePlan {
 public:
  static constexpr std::uint8_t kUnwritten = 99;

  DevicePlan(const PlanProblem& p, const std::vector<UnitStats>& stats)
      : problem_(p),
        stats_(stats),
        n_bits_(std::vector<std::uint8_t>(stats.size(), kUnwritten)),
        changes_(std::vector<cuda::UnitChange>(stats.size(), cuda::UnitChange::kept)),
        n_below_(std::vector<std::int32_t>(stats.size(), 1000)),
        counts_(std::vector<cuda::PlanCounts>(1)) {}

  /// The first tokens, as many as the facts' importance has; `streaming`: null for a plan that
  /// knows of none before.
  void plan(const BitRule& rule, const PlanFacts& facts, const StreamingParams* streaming) {
    const std::int64_t n_tokens = facts.importance.shape(2), stride = n_tokens + 1;
    const DeviceArray<cuda::PlanStep> step(
        std::vector<cuda::PlanStep>{{rule, n_tokens, n_planned_}});
    const DeviceArray<float> importance(with_room(facts.importance.view(), stride));
    const DeviceArray<float> distance(with_room(facts.distance.view(), stride));
    const auto norms = facts.q_norm.span();
    const DeviceArray<float> q_norm(std::vector<float>(norms.begin(), norms.end()));
    const auto& fixed = problem_.params.q_norm.number;
    cuda::PlanBitsCall call{.step = step.data(),
                            .stats = stats_.data(),
                            .importance = importance.data(),
                            .distance = distance.data(),
                            .q_norm = fixed ? nullptr : q_norm.data(),
                            .fixed_q_norm = static_cast<float>(fixed.value_or(0)),
                            .symmetric = problem_.params.symmetric,
                            .n_layers = problem_.shape.n_layers,
                            .n_kv_heads = problem_.shape.n_kv_heads,
                            .stride = stride,
                            .units_per_token = problem_.layout().units_per_token(),
                            .max_tokens = problem_.shape.n_tokens,
                            .n_bits = n_bits_.data()};
    if (streaming != nullptr) {
      call.changes = changes_.data();
      call.n_below = streaming->demote_patience > 1 ? n_below_.data() : nullptr;
      call.counts = counts_.data();
      call.promote_hysteresis = streaming->promote_hysteresis;
      call.demote_patience = streaming->demote_patience;
    }
    for (std::int64_t part = 0; part < problem_.n_parts; ++part) {
      const Part units = part_of(call.units_per_token, part, problem_.n_parts);
      call.first_unit = units.first;
      call.n_units = units.n;
      require(cuda::plan_bits(call, nullptr), "plan_bits");
    }
    wait("plan_bits");
    n_planned_ = n_tokens;
  }

  std::vector<std::uint8_t> n_bits() const { return n_bits_.host(); }
  std::vector<cuda::UnitChange> changes() const { return changes_.host(); }
  cuda::PlanCounts counts() const { return counts_.host()[0]; }

 private:
  PlanProblem problem_;
  DeviceArray<UnitStats> stats_;
  DeviceArray<std::uint8_t> n_bits_;
  DeviceArray<cuda::UnitChange> changes_;
  DeviceArray<std::int32_t> n_below_;
  DeviceArray<cuda::PlanCounts> counts_;
  std::int64_t n_planned_ = 0;
};

inline std::uint64_t digest_of(const std::vector<std::uint8_t>& bytes, std::uint64_t digest) {
  return digest_of(std::vector<float>(bytes.begin(), bytes.end()), digest);
}

inline CaseRow plan_bits_case(const PlanProblem& p) {
  const PlanFacts facts = plan_facts(p, 21);
  const Plan want = p.policy().plan(facts.view(p));
  DevicePlan device(p, facts.stats);
  device.plan(p.policy().rule(facts.view(p)), facts, nullptr);
  const std::vector<std::uint8_t> got = device.n_bits();
  double n = 0;
  for (std::size_t unit = 0; unit < got.size(); ++unit) n += got[unit] == want.n_bits[unit] ? 0 : 1;
  return {"plan_bits",
          p.name + ", " +
              shape_text({{"L", p.shape.n_layers},
                          {"H", p.shape.n_kv_heads},
                          {"T", p.shape.n_tokens},
                          {"parts", p.n_parts}}),
          n, 0, digest_of(got, 0)};
}

/// The first n tokens of these.
inline NdArray<float, 3> first_tokens(const NdArray<float, 3>& all, std::int64_t n) {
  NdArray<float, 3> out({all.shape(0), all.shape(1), n});
  for (std::int64_t layer = 0; layer < all.shape(0); ++layer) {
    for (std::int64_t head = 0; head < all.shape(1); ++head) {
      const auto row = all.sub(layer, head).span();
      std::copy(row.begin(), row.begin() + n, out.sub(layer, head).data());
    }
  }
  return out;
}

/// What a unit went through, from the bits that it had and has.
inline cuda::UnitChange change_between(int before, int after) {
  if (before == DevicePlan::kUnwritten) return cuda::UnitChange::first;
  if (after == before) return cuda::UnitChange::kept;
  return after < before ? cuda::UnitChange::demoted : cuda::UnitChange::promoted;
}

/// Plan after plan, as core's StreamedCache follows them.
inline CaseRow plan_stream_case(const PlanProblem& p, const StreamingParams& streaming) {
  const CacheShape& shape = p.shape;
  Numbers numbers(31);
  const std::vector<float> values =
      numbers.bells(shape.n_kv_heads * shape.n_tokens * shape.head_dim);
  const CacheLayer layer(values.data(), {shape.n_kv_heads, shape.n_tokens, shape.head_dim});
  const std::vector<CacheLayer> exact(static_cast<std::size_t>(shape.n_layers), layer);
  const PlanFacts all = plan_facts(p, 22);
  StreamedCache core(exact, all.stats, shape, streaming);
  DevicePlan device(p, all.stats);

  double n = 0;
  std::uint64_t digest = 0;
  CacheChanges counted;
  for (std::int64_t n_tokens = 2; n_tokens <= shape.n_tokens;
       n_tokens += n_tokens % 3 == 0 ? 2 : 1) {
    PlanProblem now = p;
    now.shape.n_tokens = n_tokens;
    PlanFacts facts{.stats = {all.stats.begin(), all.stats.begin() + now.layout().n_units()},
                    .importance = first_tokens(
                        plan_facts(p, static_cast<std::uint32_t>(n_tokens)).importance, n_tokens),
                    .distance = first_tokens(all.distance, n_tokens),
                    .q_norm = all.q_norm.copy()};
    const std::vector<std::uint8_t> before = device.n_bits();
    counted += core.follow(now.policy().plan(facts.view(now)));
    device.plan(now.policy().rule(facts.view(now)), facts, &streaming);
    const std::vector<std::uint8_t> got = device.n_bits();
    const std::vector<cuda::UnitChange> changes = device.changes();
    for (std::size_t unit = 0; unit < core.held().n_bits.size(); ++unit) {
      const int held = core.held().n_bits[unit];
      n += got[unit] == held ? 0 : 1;
      n += changes[unit] == change_between(before[unit], held) ? 0 : 1;
    }
    const cuda::PlanCounts counts = device.counts();
    n += counts.promotions == static_cast<unsigned long long>(counted.promotions) ? 0 : 1;
    n += counts.demotions == static_cast<unsigned long long>(counted.demotions) ? 0 : 1;
    digest = digest_of(got, digest);
  }
  return {"plan_bits, plan after plan",
          p.name + ", " +
              shape_text({{"hysteresis", streaming.promote_hysteresis},
                          {"patience", streaming.demote_patience},
                          {"parts", p.n_parts},
                          {"T", shape.n_tokens}}),
          n, 0, digest};
}

/// Both sides under every variant, with every target of keys.
inline std::vector<PlanProblem> plan_problems() {
  QaqSideParams wide;
  wide.n_bits_min = 0;
  wide.n_bits_max = 16;
  wide.target_quantization_error = 0.1;
  std::vector<PlanProblem> out;
  const auto add = [&](const char* name, CacheSide side, const auto& change) {
    out.push_back({.name = name, .side = side, .params = wide});
    change(out.back().params);
  };
  add("reference, keys", CacheSide::key, [](QaqSideParams& p) { p.target_quantization_error = 3; });
  add("reference, keys, q_norm auto", CacheSide::key,
      [](QaqSideParams& p) { p.q_norm = RealOrAuto::automatic(); });
  add("reference, values", CacheSide::value, [](QaqSideParams& p) {
    p.n_bits_min = 1;
    p.n_bits_max = 4;
    p.symmetric = true;
  });
  add("reference, values, e 30", CacheSide::value,
      [](QaqSideParams& p) { p.target_quantization_error = 30; });
  add("paper, keys", CacheSide::key, [](QaqSideParams& p) {
    p.variant = Variant::paper;
    p.q_norm = RealOrAuto::automatic();
  });
  add("paper, values", CacheSide::value, [](QaqSideParams& p) { p.variant = Variant::paper; });
  for (const BoundTarget target : {BoundTarget::row, BoundTarget::entry, BoundTarget::output}) {
    add("bound, keys", CacheSide::key, [&](QaqSideParams& p) {
      p.variant = Variant::bound;
      p.bound_target = target;
      p.q_norm = RealOrAuto::automatic();
    });
    out.back().name += ", target " + std::to_string(static_cast<int>(target));
  }
  add("bound, values, horizon", CacheSide::value, [](QaqSideParams& p) {
    p.variant = Variant::bound;
    p.horizon_tokens = 100;
  });
  add("fixed", CacheSide::value, [](QaqSideParams& p) { p.use_attentions = false; });
  return out;
}

inline std::vector<CaseRow> check_plan_bits(bool small) {
  require(cuda::plan_bits({.n_layers = 1, .n_kv_heads = 1, .units_per_token = 1}, nullptr),
          "plan_bits of no tokens");
  std::vector<CaseRow> rows;
  const cuda::PlanBitsCall measured{
      .measured = true, .n_layers = 1, .n_kv_heads = 1, .units_per_token = 1, .max_tokens = 1};
  rows.push_back({"plan_bits, measured", "",
                  cuda::plan_bits(measured, nullptr) == cudaErrorInvalidValue ? 0.0 : 1.0, 0, 0});

  const cuda::PlanBitsCall beyond{
      .n_layers = 2, .n_kv_heads = 1, .units_per_token = 2, .first_unit = 3, .max_tokens = 1};
  rows.push_back({"plan_bits, units that are not there", "",
                  cuda::plan_bits(beyond, nullptr) == cudaErrorInvalidValue ? 0.0 : 1.0, 0, 0});

  const std::vector<PlanProblem> problems = plan_problems();
  const std::int64_t n_units = small ? 20000 : 1000000;
  for (PlanProblem p : problems) {
    p.shape.n_tokens = n_units / std::ssize(problems);
    rows.push_back(plan_bits_case(p));
    p.shape.n_tokens = 1;
    p.params.last_n_attentions = 1;
    rows.push_back(plan_bits_case(p));
    for (const Level level : {Level::head, Level::layer, Level::token}) {
      p.shape = {5, 14, 5, 16};
      p.params.level = level;
      p.params.last_n_attentions = 3;
      rows.push_back(plan_bits_case(p));
      p.n_parts = 3;  // of units, none at all among them
      rows.push_back(plan_bits_case(p));
      p.n_parts = 1;
    }
  }
  for (const Level level : {Level::head, Level::layer, Level::token}) {
    for (const auto& [hysteresis, patience] : {std::pair{0, 1}, {1, 1}, {0, 2}, {2, 3}}) {
      PlanProblem p = problems[2];
      p.params.level = level;
      p.params.n_bits_max = 8;
      p.params.last_n_attentions = 1;
      p.shape = {2, 3, 12, 8};
      StreamingParams streaming;
      streaming.promote_hysteresis = hysteresis;
      streaming.demote_patience = patience;
      rows.push_back(plan_stream_case(p, streaming));
      p.n_parts = 2;
      if (patience == 2) rows.push_back(plan_stream_case(p, streaming));
    }
  }
  return rows;
}

}  // namespace qaq::cases
