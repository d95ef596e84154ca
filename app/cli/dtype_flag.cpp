#include "app/cli/dtype_flag.h"

namespace qaq::cli {

namespace {

template <class Target>
CLI::Option* add_flag(CLI::App& command, Target& dtype, const std::string& help,
                      const std::string& default_word) {
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
      ->default_str(default_word);
}

}  // namespace

CLI::Option* add_dtype_flag(CLI::App& command, DType& dtype, const std::string& help) {
  return add_flag(command, dtype, help, std::string(name_of(dtype)));
}

CLI::Option* add_dtype_flag(CLI::App& command, std::optional<DType>& dtype,
                            const std::string& help) {
  return add_flag(command, dtype, help, "f32, with --device cuda f16");
}

}  // namespace qaq::cli
