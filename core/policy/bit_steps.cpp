#include "core/policy/bit_steps.h"

#include <charconv>
#include <cmath>

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
  static std::string n(double value) { return short_number(value); }

  void fact(const char* symbol, std::string meaning, double value) {
    out_.steps.push_back({symbol, std::move(meaning), "", "", value});
  }
  void step(const char* symbol, const char* meaning, std::string formula, std::string numbers,
            double value) {
    out_.steps.push_back({symbol, meaning, std::move(formula), std::move(numbers), value});
  }

  void write_length() {
    length_ = static_cast<double>(shape_.n_tokens);
    fact("T", "tokens in the cache", length_);
    if (params_.variant != Variant::bound || params_.horizon_tokens == 0) return;
    const auto horizon = static_cast<double>(params_.horizon_tokens);
    step("T_vis", "keys that a query may come to see", "T + horizon_tokens",
         cat(n(length_), " + ", n(horizon)), length_ + horizon);
    length_ += horizon;
    length_symbol_ = "T_vis";
  }

  void write_facts() {
    if (rule_.kind == BitRule::Kind::error_bound_by_importance ||
        rule_.weight != BitRule::Weight::one) {
      const char* heads = params_.level == Level::head    ? "the KV head's query heads"
                          : params_.level == Level::layer ? "the layer's heads"
                                                          : "all layers and heads";
      fact("S_u",
           cat("largest score of the token in the window of ", params_.last_n_attentions,
               params_.last_n_attentions == 1 ? " row" : " rows", ", over ", heads),
           unit_.importance);
    }
    if (rule_.weight == BitRule::Weight::squared_spread) {
      const bool small = unit_.importance < 0.5f;
      step("M_u", "how far a score can spread, made monotone",
           small ? "S_u * (1 - S_u)" : "1/4, as S_u >= 1/2",
           small ? cat(n(unit_.importance), " * (1 - ", n(unit_.importance), ")") : "1/4",
           std::sqrt(rule_.weight_of(unit_)));
    }
    if (rule_.weight == BitRule::Weight::squared_score_distance) {
      fact("d_u", "||v_t - X||^2 of the newest row, the largest of the group", unit_.distance);
    }
    if (side_ == CacheSide::key) {
      fact("q_norm",
           params_.q_norm.number ? std::string("squared 2-norm of a query, as given")
                                 : cat("squared 2-norm that ", n(100 * params_.q_norm_quantile),
                                       " % of the prefix's queries do not exceed"),
           params_.q_norm.number ? *params_.q_norm.number : double{unit_.q_norm});
    }
    fact("range",
         params_.symmetric ? "twice the largest magnitude of the unit's inliers"
                           : "largest less smallest of the unit's inliers",
         unit_.range);
  }

  // The logarithm that code and paper share, with symbols and with numbers.
  static constexpr const char* kKeyLog = "ln(T^3 / (T - 1) * e^2 + 1)";
  std::string key_log() const {
    return cat("ln(", n(length_), "^3 / (", n(length_), " - 1) * ", e(), "^2 + 1)");
  }
  std::string e() const { return n(params_.target_quantization_error); }
  std::string s() const { return n(unit_.importance); }
  std::string q() const { return n(params_.q_norm.number.value_or(unit_.q_norm)); }

  void write_max_error() {
    const double error = out_.choice.error;
    if (side_ == CacheSide::key) {
      const bool alone = shape_.n_tokens < 2;
      step("max_error", "largest error that the unit may make",
           alone ? "infinite: the one score is 1 whatever the key"
                 : cat("sqrt(12 / q_norm * ", kKeyLog, ")"),
           alone ? "infinite" : cat("sqrt(12 / ", q(), " * ", key_log(), ")"), error);
    } else {
      step("max_error", "largest error that the unit may make", "sqrt(12 / T) * e / S_u",
           cat("sqrt(12 / ", n(length_), ") * ", e(), " / ", s()), error);
    }
    // As bits_for() forms it, in float32.
    const float quotient = unit_.range / (2.0f * out_.choice.error);
    step("x", "range over twice the error", "range / (2 * max_error)",
         cat(n(unit_.range), " / (2 * ", n(error), ")"), quotient);
    const float sum = quotient + 1.0f;
    out_.before_rounding = unit_.range > 0 ? std::log2(double{sum}) : 0;
    step("b", "bits before rounding up", "log2(x + 1)", cat("log2(", n(quotient), " + 1)"),
         out_.before_rounding);
  }

  void write_variance() {
    const auto [formula, numbers] = variance_formula();
    step("sigma^2", "variance that the unit's errors may have", formula, numbers,
         out_.choice.error);
    if (rule_.measured) {
      write_measured();
      return;
    }
    const double width = std::sqrt(12.0) * std::sqrt(double{out_.choice.error});
    step("step", "even errors in steps of this width have that variance", "sqrt(12 * sigma^2)",
         cat("sqrt(12 * ", n(out_.choice.error), ")"), width);
    out_.before_rounding = unit_.range > 0 ? std::log2(unit_.range / width) : 0;
    step("b", "bits before rounding up", "log2(range / step)",
         cat("log2(", n(unit_.range), " / ", n(width), ")"), out_.before_rounding);
  }

  // sigma^2 with symbols and with numbers; a cap that acts is said.
  std::pair<std::string, std::string> variance_formula() {
    const std::string length = n(length_);
    if (side_ == CacheSide::value) {
      return {cat("e^2 / (", length_symbol_, " * S_u^2)"),
              cat(e(), "^2 / (", length, " * ", s(), "^2)")};
    }
    if (params_.variant == Variant::paper) {
      if (shape_.n_tokens < 2) return {"infinite: the one score is 1 whatever the key", "infinite"};
      return {cat(kKeyLog, " / q_norm"), cat(key_log(), " / ", q())};
    }
    const auto d = static_cast<double>(shape_.head_dim);
    const double k = kappa(params_.v_max);
    fact("D", "channels of a head", d);
    std::string share, share_numbers;
    if (params_.bound_target == BoundTarget::output) {
      share = cat("D * e^2 / (", length_symbol_, " * S_u^2 * d_u)");
      share_numbers =
          cat(n(d), " * ", e(), "^2 / (", length, " * ", s(), "^2 * ", n(unit_.distance), ")");
    } else {
      const std::string v_max = n(params_.v_max);
      step("kappa", "what lies beyond first order, paid for up to v_max",
           "(exp(2 * v_max) - 2 * exp(v_max / 2) + 1) / v_max",
           cat("(exp(2 * ", v_max, ") - 2 * exp(", v_max, " / 2) + 1) / ", v_max), k);
      const bool row = params_.bound_target == BoundTarget::row;
      share = row ? cat("e^2 / (2 * kappa * ", length_symbol_, " * M_u^2)") : "8 * e^2 / kappa";
      share_numbers = row ? cat(e(), "^2 / (2 * ", n(k), " * ", length, " * ",
                                n(std::sqrt(rule_.weight_of(unit_))), "^2)")
                          : cat("8 * ", e(), "^2 / ", n(k));
    }
    const double v = double{rule_.budget} / rule_.weight_of(unit_) / d;
    step("v", "variance that a logit's error may have", share, share_numbers, v);
    if (v > params_.v_max) {
      return {"D / q_norm * v_max, as v is above v_max",
              cat(n(d), " / ", q(), " * ", n(params_.v_max))};
    }
    return {"D / q_norm * v", cat(n(d), " / ", q(), " * ", n(v))};
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
  double length_ = 0;
  const char* length_symbol_ = "T";
};

}  // namespace

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
