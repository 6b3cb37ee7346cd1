"""The machine that something was measured or trained on."""

from importlib.metadata import version

from mtlaerial.config import Section
from mtlaerial.system.processor import processor_name, usable_cores


class Machine(Section):
    """Processor, GPU and torch: what the time of an update depends on besides the recipe."""

    processor: str
    cores: int
    """Cores that the process was allowed to use."""
    gpu: str | None = None
    """The GPU at work; None on the CPU."""
    torch: str
    """Version of torch."""

    @property
    def device(self) -> str:
        """Name of the GPU at work, or else of the processor."""
        return self.gpu or self.processor

    def as_fast_as(self, other: "Machine") -> bool:
        """Tell whether both have the same device at work, and the same torch."""
        return (self.device, self.torch) == (other.device, other.torch)


def this_machine(gpu: str | None = None) -> Machine:
    """Return this machine, with the GPU that is at work if there is one."""
    return Machine(processor=processor_name(), cores=len(usable_cores()), gpu=gpu, torch=version("torch"))
