#include "core/policy/bit_steps.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "core/base/text.h"

namespace qaq {
namespace {

// Gathers steps; formulas are written with symbols and the same symbols' numbers.
class Writer {
 public:
  Writer(const QaqSideParams& params, CacheSide side, const CacheShape& shape,
         const UnitFacts& unit)
      : params_(params),
        side_(side),
        shape_(shape),
        unit_(unit),
        rule_(bit_rule(params, side, shape)) {
    out_.choice = rule_.choose(unit);
  }

  BitSteps write() {
    if (rule_.kind == BitRule::Kind::fixed) {
      out_.before_rounding = rule_.n_bits_fixed;
      return std::move(out_);
    }
    fact("e", "target_quantization_error", params_.target_quantization_error);
    write_length();
    write_facts();
    if (rule_.kind == BitRule::Kind::variance) {
      write_variance();
    } else {
      write_max_error();
    }
    return std::move(out_);
  }

 private:
  void fact(const char* symbol, std::string meaning, double value) {
    known_[symbol] = value;
    out_.steps.push_back({symbol, std::move(meaning), {}, value});
  }
  // In `formula` {name} is a symbol that is known; what follows | is a remark.
  void step(const char* symbol, const char* meaning, std::string_view formula, double value) {
    out_.steps.push_back({symbol, meaning, terms_of(formula), value});
    known_[symbol] = value;
  }

  std::vector<BitTerm> terms_of(std::string_view formula) const {
    std::vector<BitTerm> out;
    const auto add_sign = [&](std::string_view text, bool is_remark) {
      if (!text.empty()) out.push_back({.text = std::string(text), .is_remark = is_remark});
    };
    const std::size_t bar = std::min(formula.find('|'), formula.size());
    std::string_view rest = formula.substr(0, bar);
    for (std::size_t open = rest.find('{'); open != rest.npos; open = rest.find('{')) {
      const std::size_t close = rest.find('}');
      const std::string symbol(rest.substr(open + 1, close - open - 1));
      add_sign(rest.substr(0, open), false);
      out.push_back({.text = symbol, .number = known_.at(symbol)});
      rest.remove_prefix(close + 1);
    }
    add_sign(rest, false);
    if (bar < formula.size()) add_sign(formula.substr(bar + 1), true);
    return out;
  }

  void write_length() {
    const auto length = static_cast<double>(shape_.n_tokens);
    fact("T", "tokens in the cache", length);
    if (params_.variant != Variant::bound || params_.horizon_tokens == 0) return;
    const auto horizon = static_cast<double>(params_.horizon_tokens);
    known_["horizon_tokens"] = horizon;
    step("T_vis", "keys that a query may come to see", "{T} + {horizon_tokens}", length + horizon);
    length_symbol_ = "{T_vis}";
  }

  void write_facts() {
    if (rule_.kind == BitRule::Kind::error_bound_by_importance ||
        rule_.weight != BitRule::Weight::one) {
      const char* heads = params_.level == Level::head    ? "the KV head's query heads"
                          : params_.level == Level::layer ? "the layer's heads"
                                                          : "all layers and heads";
      fact("S_u", cat(importance_meaning(), ", over ", heads), unit_.importance);
    }
    if (rule_.weight == BitRule::Weight::squared_spread) {
      const bool small = unit_.importance < 0.5f;
      step("M_u", "how far a score can spread, made monotone",
           small ? "{S_u} * (1 - {S_u})" : "1/4|, as S_u >= 1/2",
           std::sqrt(rule_.weight_of(unit_)));
    }
    if (rule_.weight == BitRule::Weight::squared_score_distance) {
      fact("d_u", "||v_t - X||^2 of the newest row, the largest of the group", unit_.distance);
    }
    if (side_ == CacheSide::key) {
      fact("q_norm", norm_meaning(),
           params_.measures_q_norm() ? double{unit_.q_norm} : *params_.q_norm.number);
    }
    fact("range",
         params_.symmetric ? "twice the largest magnitude of the unit's inliers"
                           : "largest less smallest of the unit's inliers",
         unit_.range);
  }

  std::string importance_meaning() const {
    if (params_.sensitivity == Sensitivity::ema) {
      return cat("moving average of the token's scores, beta ", short_number(params_.beta));
    }
    if (params_.has_adaptive_window()) return "largest score of the token in its adaptive window";
    return cat("largest score of the token in the window of ", params_.last_n_attentions,
               params_.last_n_attentions == 1 ? " row" : " rows");
  }

  std::string norm_meaning() const {
    if (params_.sensitivity == Sensitivity::ema) {
      return cat("squared 2-norm of a query: moving average and ", short_number(params_.z),
                 " deviations");
    }
    if (params_.q_norm.number) return "squared 2-norm of a query, as given";
    return cat("squared 2-norm that ", short_number(100 * params_.q_norm_quantile),
               " % of the prefix's queries do not exceed");
  }

  // The logarithm that code and paper share.
  static constexpr const char* kKeyLog = "ln({T}^3 / ({T} - 1) * {e}^2 + 1)";
  static constexpr const char* kInfinite = "infinite|: the one score is 1 whatever the key";

  void write_max_error() {
    const char* meaning = "largest error that the unit may make";
    const double error = out_.choice.error;
    if (side_ == CacheSide::value) {
      step("max_error", meaning, "sqrt(12 / {T}) * {e} / {S_u}", error);
    } else if (shape_.n_tokens < 2) {
      step("max_error", meaning, kInfinite, error);
    } else {
      step("max_error", meaning, cat("sqrt(12 / {q_norm} * ", kKeyLog, ")"), error);
    }
    // As bits_for() forms it, in float32.
    const float sum = unit_.range / (2.0f * out_.choice.error) + 1.0f;
    out_.before_rounding = unit_.range > 0 ? std::log2(double{sum}) : 0;
    step("b", "bits before rounding up", "log2({range} / (2 * {max_error}) + 1)",
         out_.before_rounding);
  }

  void write_variance() {
    step("sigma^2", "variance that the unit's errors may have", variance_formula(),
         out_.choice.error);
    if (rule_.measured) {
      write_measured();
      return;
    }
    const double width = std::sqrt(12.0) * std::sqrt(double{out_.choice.error});
    step("step", "even errors in steps of this width have that variance", "sqrt(12 * {sigma^2})",
         width);
    out_.before_rounding = unit_.range > 0 ? std::log2(unit_.range / width) : 0;
    step("b", "bits before rounding up",
         unit_.range > 0 ? "log2({range} / {step})" : "0|: a unit without a range needs none",
         out_.before_rounding);
  }

  // What sigma^2 is, after the steps that lead to it; a cap that acts is said.
  std::string variance_formula() {
    if (side_ == CacheSide::value) return cat("{e}^2 / (", length_symbol_, " * {S_u}^2)");
    if (params_.variant == Variant::paper) {
      return shape_.n_tokens < 2 ? kInfinite : cat(kKeyLog, " / {q_norm}");
    }
    const auto d = static_cast<double>(shape_.head_dim);
    fact("D", "channels of a head", d);
    known_["v_max"] = params_.v_max;
    std::string share;
    if (params_.bound_target == BoundTarget::output) {
      share = cat("{D} * {e}^2 / (", length_symbol_, " * {S_u}^2 * {d_u})");
    } else {
      step("kappa", "what lies beyond first order, paid for up to v_max",
           "(exp(2 * {v_max}) - 2 * exp({v_max} / 2) + 1) / {v_max}", kappa(params_.v_max));
      share = params_.bound_target == BoundTarget::row
                  ? cat("{e}^2 / (2 * {kappa} * ", length_symbol_, " * {M_u}^2)")
                  : "8 * {e}^2 / {kappa}";
    }
    const double v = double{rule_.budget} / rule_.weight_of(unit_) / d;
    step("v", "variance that a logit's error may have", share, v);
    if (v > params_.v_max) return "{D} / {q_norm} * {v_max}|, as v is above v_max";
    return "{D} / {q_norm} * {v}";
  }

  void write_measured() {
    const int wanted = out_.choice.wanted;
    const auto error_at = [&](int n_bits) {
      return double{unit_.errors[static_cast<std::size_t>(n_bits)]};
    };
    if (wanted > params_.n_bits_min) {
      fact("MSE below", cat("measured at ", wanted - 1, " bits: above sigma^2"),
           error_at(wanted - 1));
    }
    if (!out_.choice.unmet) {
      fact("MSE", cat("measured at ", wanted, " bits: the fewest that keep sigma^2"),
           error_at(wanted));
    }
    out_.before_rounding = wanted;
  }

  const QaqSideParams& params_;
  CacheSide side_;
  const CacheShape& shape_;
  const UnitFacts& unit_;
  BitRule rule_;
  BitSteps out_;
  std::map<std::string, double> known_;  // symbols that formulas may name
  const char* length_symbol_ = "{T}";
};

}  // namespace

std::string BitStep::formula() const {
  std::string out;
  for (const BitTerm& term : terms) out += term.text;
  return out;
}

std::string BitStep::numbers() const {
  std::string out;
  for (const BitTerm& term : terms) {
    if (!term.is_remark) out += term.number ? short_number(*term.number) : term.text;
  }
  return out;
}

std::string short_number(double value) {
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr;
  return {text, end};
}

BitSteps explain_bits(const QaqSideParams& params, CacheSide side, const CacheShape& shape,
                      const UnitFacts& unit) {
  return Writer(params, side, shape, unit).write();
}

}  // namespace qaq
