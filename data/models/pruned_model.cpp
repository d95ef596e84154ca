#include "data/models/pruned_model.h"

#include <cassert>
#include <utility>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/sha256.h"
#include "core/base/text.h"

namespace qaq {
namespace {

std::vector<WeightRole> pruned_roles() {
  std::vector<WeightRole> out;
  for (int i = 0; i < kWeightRoles; ++i) {
    const auto role = static_cast<WeightRole>(i);
    if (is_pruned_role(role)) out.push_back(role);
  }
  return out;
}

}  // namespace

PrunedModel::PrunedModel(std::shared_ptr<const ModelFile> model, double share, const Work& work)
    : model_(std::move(model)),
      what_(cat("prune_weights ", number_text(share))),
      spec_(model_->spec()) {
  assert(share > 0 && share < 1);
  spec_.name += cat(" (", what_, ")");
  const std::int64_t n_layers = spec_.shape.n_layers;
  weights_.resize(static_cast<std::size_t>(kWeightRoles * n_layers));
  const std::vector<WeightRole> roles = pruned_roles();
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"prune", layer, n_layers, "layers"});
    work.throw_if_stopped();
    parallel_for(std::ssize(roles), [&](std::int64_t i) {
      const WeightRole role = roles[static_cast<std::size_t>(i)];
      weights_[place(role, layer)] = pruned_weight(model_->weight(role, layer), share);
    });
  }
  work.report({"prune", n_layers, n_layers, "layers"});
}

std::size_t PrunedModel::place(WeightRole role, std::int64_t layer) const {
  return static_cast<std::size_t>(static_cast<std::int64_t>(role) * spec_.shape.n_layers + layer);
}

WeightView PrunedModel::weight(WeightRole role, std::int64_t layer) const {
  return is_pruned_role(role) ? weights_[place(role, layer)].view : model_->weight(role, layer);
}

const std::string& PrunedModel::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = sha256_hex(cat(model_->sha256(), " ", what_)); });
  return sha256_;
}

std::shared_ptr<const ModelFile> pruned_model(std::shared_ptr<const ModelFile> model, double share,
                                              std::int64_t available_bytes, const Work& work) {
  if (share == 0) return model;
  std::int64_t needed = 0;
  for (const WeightRole role : pruned_roles()) {
    for (std::int64_t layer = 0; layer < model->spec().shape.n_layers; ++layer) {
      needed += pruned_bytes(model->weight(role, layer));
    }
  }
  if (needed > available_bytes) {
    throw Error(ErrorKind::work, {.file = model->file(),
                                  .place = "--prune-weights",
                                  .what = cat("the pruned matrices take ", byte_text(needed),
                                              ", and ", byte_text(available_bytes), " are there"),
                                  .cure = "leave it out, or run where there is more memory"});
  }
  return std::make_shared<PrunedModel>(std::move(model), share, work);
}

}  // namespace qaq
