#pragma once

namespace qaq::views {

class CommandRegistry;
class SliceBook;
class Workspace;

/// Commands of selected sets: modes, box, filters, named slices, the pinned cell.
void addSetCommands(CommandRegistry& registry, Workspace& workspace, SliceBook& slices);

}  // namespace qaq::views
