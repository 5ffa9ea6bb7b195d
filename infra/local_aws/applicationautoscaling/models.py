"""moto's Application Auto Scaling, except that scalable targets have tags."""

from collections.abc import Mapping, Sequence

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.models import applicationautoscaling_backends as applicationautoscaling_backends
from moto.core.exceptions import JsonRESTError
from moto.utilities.tagging_service import TaggingService


class ResourceNotFoundException(JsonRESTError):
    """The answer about a scalable target that does not exist."""

    code = 400

    def __init__(self, arn: str) -> None:
        super().__init__("ResourceNotFoundException", f"Unable to find the resource {arn}.")


class TaggingAutoscalingBackend(ApplicationAutoscalingBackend):
    """moto's Application Auto Scaling, except that scalable targets have tags."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tagger = TaggingService()

    def deregister_scalable_target(self, namespace: str, r_id: str, dimension: str) -> None:
        target = self.targets.get(dimension, {}).get(r_id)
        super().deregister_scalable_target(namespace, r_id, dimension)
        self.tagger.delete_all_tags_for_resource(target.arn)

    def tag_resource(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags to a scalable target."""
        self.tagger.tag_resource(self.known(arn), self.tagger.convert_dict_to_tags_input(dict(tags)))

    def untag_resource(self, arn: str, keys: Sequence[str]) -> None:
        """Take tags from a scalable target."""
        self.tagger.untag_resource_using_names(self.known(arn), list(keys))

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a scalable target."""
        return dict(self.tagger.get_tag_dict_for_resource(self.known(arn)))

    def known(self, arn: str) -> str:
        """The ARN, if it is a scalable target's; ResourceNotFoundException otherwise."""
        if not any(target.arn == arn for targets in self.targets.values() for target in targets.values()):
            raise ResourceNotFoundException(arn)
        return arn


def install() -> None:
    """Put the tagging backend in moto's place."""
    applicationautoscaling_backends.clear()
    applicationautoscaling_backends.backend = TaggingAutoscalingBackend
