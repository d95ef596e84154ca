#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/policy/cache_policy.h"
#include "core/quant/cache_codec.h"

namespace qaq {

/// A policy whose decision is a format: what most rivals of QAQ are (section 8 of the mathematics).
/// Params is a struct with visit() (parameters.h) and a validate() that throws Error{usage}.
template <class Params>
class CodecPolicy : public CachePolicy {
 public:
  explicit CodecPolicy(Params params) : params_(std::move(params)) { validate(params_); }

  std::vector<Parameter> parameters() const override { return list_parameters(params_); }
  PolicyNeeds needs(CacheSide) const override {
    PolicyNeeds out;
    out.quantizer.level = Level::no_quantization;  // it knows no units
    return out;
  }
  Plan plan(const PolicyView& view) const override {
    Plan plan;
    plan.layout = view.layout;
    plan.codec = codec(view.side, view.layout.shape());
    plan.quantizer.level = Level::no_quantization;
    return plan;
  }

 protected:
  /// Null: that cache is left exact.
  virtual std::shared_ptr<const CacheCodec> codec(CacheSide side,
                                                  const CacheShape& shape) const = 0;
  const Params& params() const { return params_; }

 private:
  Params params_;
};

}  // namespace qaq
