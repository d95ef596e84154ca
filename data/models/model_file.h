#pragma once

#include <memory>
#include <string>

#include "core/model/model_source.h"

namespace qaq {

class GgufFile;

/// A model file opened for running: spec and weights, and the metadata for the tokenizer.
/// Throws Error{input} naming the place and the cure.
class ModelFile : public ModelSource {
 public:
  virtual const GgufFile& gguf() const = 0;
};

std::shared_ptr<const ModelFile> open_model(const std::string& path);

}  // namespace qaq
