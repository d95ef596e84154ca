#include "app/cli/dtype_flag.h"

namespace qaq::cli {

CLI::Option* add_dtype_flag(CLI::App& command, DType& dtype, const std::string& help) {
  return command
      .add_option_function<std::string>(
          "--dtype",
          [&dtype](const std::string& word) {
            for (const DType each : {DType::f32, DType::f16, DType::bf16}) {
              if (name_of(each) == word) dtype = each;
            }
          },
          help)
      ->check(CLI::IsMember({"f32", "f16", "bf16"}))
      ->default_str(std::string(name_of(dtype)));
}

}  // namespace qaq::cli
