#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/replay/capture_view.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"

namespace qaq {

/// What users name, opened and checked. All throw Error{input} that names the file and the cure;
/// `model` is a known name (see `qaq model list`) or a path.
std::shared_ptr<const Tokenizer> open_tokenizer_named(const std::string& model);
/// With a share of its weights pruned where that is above 0 (data/models/pruned_model.h).
std::shared_ptr<const ModelFile> open_model_named(const std::string& model,
                                                  double prune_weights = 0, const Work& work = {});
/// The same, where it is the model that the capture was made with.
std::shared_ptr<const ModelFile> open_model_of(const std::string& model, const CaptureInfo& info,
                                               double prune_weights = 0, const Work& work = {});

/// A whole UTF-8 file.
std::string read_text_file(const std::string& path);
/// `text` if it is valid UTF-8.
std::string checked_text(const std::string& flag, const std::string& text);
/// Token ids from a file: white space between them, or a JSON list. Each below `vocab_size`.
std::vector<std::int32_t> read_tokens_file(const std::string& path, std::int64_t vocab_size);

/// Layers named as in "0-3,14", ascending. Throws Error{usage}.
std::vector<std::int32_t> parse_layers(const std::string& text, std::int64_t n_layers);

}  // namespace qaq
