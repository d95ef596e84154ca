#pragma once

#include <memory>
#include <string>

#include "core/model/model_source.h"

namespace qaq {

class GgufFile;

/// A model opened for running: spec and weights, and where its tokenizer lies.
class ModelFile : public ModelSource {
 public:
  /// The GGUF file whose metadata holds the tokenizer; null where the model is a folder.
  virtual const GgufFile* gguf() const = 0;
  /// The Hugging Face folder with the tokenizer's files; empty where the model is a GGUF file.
  virtual const std::string& folder() const = 0;
};

/// Opens a GGUF file (any part of a split one), a Hugging Face folder (config.json, safetensors) or
/// a safetensors file in such a folder. What it is is told by content, never by name. Throws
/// Error{input} naming the place and the cure.
std::shared_ptr<const ModelFile> open_model(const std::string& path);

}  // namespace qaq
