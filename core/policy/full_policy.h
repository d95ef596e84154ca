#pragma once

#include "core/policy/codec_policy.h"

namespace qaq {

struct FullParams {
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&) {}
};
inline void validate(const FullParams&) {}

/// The whole cache at full precision: what the others are held against, and what a policy that
/// evicts leaves of it alone.
class FullPolicy : public CodecPolicy<FullParams> {
 public:
  using CodecPolicy::CodecPolicy;
  std::string_view name() const override { return "full"; }

 protected:
  std::shared_ptr<const CacheCodec> codec(CacheSide, const CacheShape&) const override {
    return nullptr;
  }
};

}  // namespace qaq
