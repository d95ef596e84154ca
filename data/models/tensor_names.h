#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/model/families.h"
#include "core/model/model_source.h"
#include "data/models/stored_part.h"

namespace qaq {

/// What a file format calls the modules of a model, without ".weight" and ".bias". Empty where no
/// model of it has the module.
struct ModuleNames {
  std::string_view prefix{};  ///< of all but the head; checkpoints of the bare model lack it
  std::string_view layers{};  ///< before a layer's number
  std::string_view embedding{}, position_embedding{}, embedding_norm{}, final_norm{}, head{};
  // Of a layer.
  std::string_view attention_norm{}, query{}, key{}, value{}, attention_output{};
  std::string_view feed_forward_norm{}, gate{}, up{}, down{};
  std::string_view query_norm{}, key_norm{};
};

/// How the Hugging Face checkpoints of a family are laid out.
struct CheckpointLayout {
  ModuleNames names;
  StoredOrder order{};
  /// Ends of names of tensors that are of no use: masks, and rotation frequencies that old versions
  /// saved, which config.json says better.
  std::array<std::string_view, 3> ignored{};

  bool ignores(std::string_view name) const;
};

const CheckpointLayout& checkpoint_layout(const Family& family);

/// GGUF's name of a weight: "blk.3.attn_q.weight". `layer` counts for roles that every layer has.
std::string gguf_tensor_name(WeightRole role, std::int64_t layer);

/// A checkpoint's name of a weight: "model.layers.3.self_attn.q_proj.weight". Weights that are
/// stored together have the same. `prefix` is that of the names or empty; the head has none.
std::string tensor_name(const ModuleNames& names, WeightRole role, std::int64_t layer,
                        std::string_view prefix);

}  // namespace qaq
