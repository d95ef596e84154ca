#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "data/models/model_listing.h"

namespace qaq::cli {

/// All that `qaq info MODEL` says: what the headers hold, and what running the model would cost a
/// prompt of `n_tokens`. A model that cannot be run has its refusal in place of the costs.
nlohmann::ordered_json model_json(const ModelListing& listing, std::int64_t n_tokens);

/// The same for people, on standard output.
void print_model(const std::string& path, const nlohmann::ordered_json& info);

}  // namespace qaq::cli
