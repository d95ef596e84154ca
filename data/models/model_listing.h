#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model_spec.h"

namespace qaq {

struct ListedTensor {
  std::string name;                 ///< as the file calls it
  std::string type;                 ///< as the format calls it: "Q4_1", "BF16"
  std::vector<std::int64_t> shape;  ///< row-major
  std::int64_t bytes = 0;
};

/// What the headers of a model's files say, for people. The bytes of the weights are not read.
struct ModelListing {
  std::string format;              ///< "GGUF version 3", "safetensors, 2 files"
  std::vector<std::string> files;  ///< all that belong to the model, as paths
  std::int64_t n_bytes = 0;        ///< of the files that hold weights
  /// GGUF metadata, config.json or __metadata__: key and value as text, in the file's order.
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<ListedTensor> tensors;
  std::string tokenizer;          ///< "gpt2 (smollm), 49152 tokens", "tokenizer.json"; empty: none
  std::optional<ModelSpec> spec;  ///< nothing where the model cannot be run
  std::string refusal;            ///< and why: the line that open_model would throw
};

/// Lists a model: a GGUF file (any part of a split one), a Hugging Face folder or a safetensors
/// file. Throws Error{input} where a file is damaged as a container, so that it cannot be listed.
ModelListing list_model(const std::string& path);

}  // namespace qaq
