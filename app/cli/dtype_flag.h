#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "core/tensor/dtype.h"

namespace qaq::cli {

/// Adds --dtype f32|f16|bf16, whose default is what `dtype` holds. `dtype` outlives the command.
CLI::Option* add_dtype_flag(CLI::App& command, DType& dtype, const std::string& help);

/// The same where there may be none: f32 on the CPU, f16 on CUDA.
CLI::Option* add_dtype_flag(CLI::App& command, std::optional<DType>& dtype,
                            const std::string& help);

/// The help of commands that quantize a model's cache themselves.
inline constexpr const char* kCacheDtypeHelp =
    "Numbers of the cache that is quantized, outliers among them, as of qaq capture: f32, f16 or "
    "bf16";

}  // namespace qaq::cli
