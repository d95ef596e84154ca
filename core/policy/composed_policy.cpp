#include "core/policy/composed_policy.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/retention.h"
#include "core/quant/cache_codec.h"

namespace qaq {
namespace {

// The rows that are left of each KV head, drawn together, in a codec of their own.
class CodecOfKept : public CacheCodec {
 public:
  CodecOfKept(const CachePolicy& policy, const PolicyView& view)
      : shape_(view.layout.shape()), kept_(shape_of(shape_)), places_(shape_of(shape_)) {
    std::ranges::copy(view.kept.span(), kept_.span().begin());
    for (std::int64_t layer = 0; layer < shape_.n_layers; ++layer) {
      for (std::int64_t head = 0; head < shape_.n_kv_heads; ++head) {
        const auto rows = kept_.sub(layer, head).span();
        std::exclusive_scan(rows.begin(), rows.end(), places_.sub(layer, head).data(),
                            std::int32_t{0});
        PolicyView own;
        own.side = view.side;
        own.layout = UnitLayout(
            view.layout.level(),
            {1, 1, static_cast<std::int64_t>(std::ranges::count(rows, 1)), shape_.head_dim});
        codecs_.push_back(policy.plan(own).codec);
      }
    }
  }

  void quantize(std::int64_t layer, const CacheLayer& input, const NdView<float, 3>& out,
                const NdView<std::uint8_t, 3>&) const override {
    for (std::int64_t head = 0; head < shape_.n_kv_heads; ++head) {
      const auto rows = kept_.sub(layer, head).span();
      std::copy_n(input.sub(head).data(), shape_.n_tokens * shape_.head_dim, out.sub(head).data());
      const std::int64_t n = std::ranges::count(rows, 1);
      NdArray<float, 3> drawn({1, n, shape_.head_dim}), coded({1, n, shape_.head_dim});
      std::int64_t at = 0;
      for (std::int64_t token = 0; token < shape_.n_tokens; ++token) {
        if (rows[static_cast<std::size_t>(token)] == 0) continue;
        std::ranges::copy(input.sub(head, token).span(), drawn.sub(0, at++).data());
      }
      codec(layer, head).quantize(0, drawn.view(), coded.view(), {});
      at = 0;
      for (std::int64_t token = 0; token < shape_.n_tokens; ++token) {
        if (rows[static_cast<std::size_t>(token)] == 0) continue;
        std::ranges::copy(coded.sub(0, at++).span(), out.sub(head, token).data());
      }
    }
  }

  std::optional<int> n_bits(std::int64_t layer, std::int64_t kv_head,
                            std::int64_t token) const override {
    return codec(layer, kv_head).n_bits(0, 0, places_(layer, kv_head, token));
  }

  // Whoever leaves a group changes it.
  RowsDependOn rows_depend_on() const override {
    const bool alone = std::ranges::all_of(codecs_, [](const auto& each) {
      return each->rows_depend_on() == RowsDependOn::themselves;
    });
    return alone ? RowsDependOn::themselves : RowsDependOn::later_rows;
  }

  PackedBytes bytes(DType exact) const override {
    PackedBytes sum;
    for (const auto& each : codecs_) sum += each->bytes(exact);
    return sum;
  }

 private:
  static Shape<3> shape_of(const CacheShape& shape) {
    return {shape.n_layers, shape.n_kv_heads, shape.n_tokens};
  }
  const CacheCodec& codec(std::int64_t layer, std::int64_t head) const {
    return *codecs_[static_cast<std::size_t>(layer * shape_.n_kv_heads + head)];
  }

  CacheShape shape_;
  NdArray<std::uint8_t, 3> kept_;
  NdArray<std::int32_t, 3> places_;                        // of a row among those that are left
  std::vector<std::shared_ptr<const CacheCodec>> codecs_;  // by layer, then KV head
};

}  // namespace

ComposedPolicy::ComposedPolicy(std::shared_ptr<const CachePolicy> keeping,
                               std::shared_ptr<const CachePolicy> evicting)
    : name_(cat(keeping->name(), "+", evicting->name())),
      keeping_(std::move(keeping)),
      evicting_(std::move(evicting)) {
  if (keeping_->retention() != nullptr || evicting_->retention() == nullptr) {
    refuse_usage({.place = "--policy",
                  .what = cat(name_, " is no composition"),
                  .cure = "name what quantizes first and what evicts behind it, as in qaq+h2o"});
  }
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    if (keeping_->needs(side).plan_stride == 1) continue;
    refuse_usage(
        {.place = "--set plan_stride",
         .what = cat("leaves tokens without a plan that ", evicting_->name(), " may evict"),
         .cure = "set plan_stride=1"});
  }
  if (keeping_->needs(CacheSide::key).values) {
    refuse_usage({.place = "--policy",
                  .what = cat(keeping_->name(),
                              " codes the values of all KV heads of a token "
                              "together, which evict different tokens"),
                  .cure = "compose another, as in qaq+h2o"});
  }
}

std::vector<Parameter> ComposedPolicy::parameters() const {
  std::vector<Parameter> all = keeping_->parameters();
  for (Parameter& each : evicting_->parameters()) {
    each.section = evicting_->name();
    each.name = cat(each.section, ".", each.info.name);
    all.push_back(std::move(each));
  }
  return all;
}

Plan ComposedPolicy::plan(const PolicyView& view) const {
  Plan plan = keeping_->plan(view);
  if (plan.codec) {
    plan.codec = std::make_shared<CodecOfKept>(*keeping_, view);
  } else {
    require_units_of_one_head(plan);
  }
  return plan;
}

}  // namespace qaq
