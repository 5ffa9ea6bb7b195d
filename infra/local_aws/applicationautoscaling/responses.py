"""Application Auto Scaling's requests about tags."""

import json

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as MotoResponse


class ApplicationAutoScalingResponse(MotoResponse):
    """moto's, with the tags of scalable targets."""

    def register_scalable_target(self) -> str:
        answer = str(super().register_scalable_target())
        if tags := self._get_param("Tags"):
            self.applicationautoscaling_backend.tag_resource(json.loads(answer)["ScalableTargetARN"], tags)
        return answer

    def tag_resource(self) -> str:
        self.applicationautoscaling_backend.tag_resource(self._get_param("ResourceARN"), self._get_param("Tags"))
        return "{}"

    def untag_resource(self) -> str:
        self.applicationautoscaling_backend.untag_resource(self._get_param("ResourceARN"), self._get_param("TagKeys"))
        return "{}"

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": self.applicationautoscaling_backend.tags(self._get_param("ResourceARN"))})
